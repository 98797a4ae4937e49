// Small apps behind `prt tap`, each with one mistake (`bad`) and without it (`good`): node tap.mjs NAME bad|good
// An app says `ready` on its standard output when it has done its part, and stays until it is ended.
import { createClient } from '@supabase/supabase-js'
import WebSocket from 'ws'
import { signIn } from './client.mjs'

const [name, kind] = process.argv.slice(2)
const bad = kind === 'bad'
const { SUPABASE_URL, SUPABASE_ANON_KEY, SUPABASE_SERVICE_ROLE_KEY, SHORT_TOKEN, LONG_TOKEN } = process.env
const TASKS = { schema: 'public', table: 'project_tasks' }
const options = (more = {}) => ({
  auth: { persistSession: false, autoRefreshToken: false },
  ...more,
  // The tap's clock runs fast, and so must the heartbeats.
  realtime: { transport: WebSocket, heartbeatIntervalMs: 500, ...more.realtime },
})
const connect = (key = SUPABASE_ANON_KEY) => createClient(SUPABASE_URL, key, options())
const say = (word) => process.stdout.write(`${word}\n`)
const until = (channel, wanted) =>
  new Promise((resolve) => channel.subscribe((status) => status === wanted && resolve(status)))
// READY: the server's own word that changes flow.
const ready = (channel) =>
  new Promise((resolve) => {
    channel.on('system', {}, (message) => message.extension === 'postgres_changes' && resolve(message.status))
    channel.subscribe()
  })
const member = async (more) => {
  const client = createClient(SUPABASE_URL, SUPABASE_ANON_KEY, options(more))
  await signIn(client)
  await client.realtime.setAuth()
  return client
}
const writer = connect(SUPABASE_SERVICE_ROLE_KEY)
const production = async () => (await writer.from('productions').select('id').order('id').limit(1)).data[0].id
const task = async (title) => {
  const { data, error } = await writer
    .from('project_tasks')
    .insert({ production_id: await production(), title })
    .select('id,production_id')
    .single()
  if (error) throw error
  return data
}
const first = (channel, filter) => new Promise((resolve) => channel.on('postgres_changes', filter, resolve))

const apps = {
  'server-key-in-browser': async () => {
    const headers = { Origin: 'http://localhost:3000', 'User-Agent': 'Mozilla/5.0' }
    const key = bad ? SUPABASE_SERVICE_ROLE_KEY : SUPABASE_ANON_KEY
    await createClient(SUPABASE_URL, key, options({ global: { headers } })).from('productions').select('id')
  },
  'socket-role': async () => {
    const { session } = await signIn(connect())
    const headers = { Authorization: `Bearer ${session.access_token}` }
    const client = createClient(SUPABASE_URL, SUPABASE_ANON_KEY, options({ global: { headers } }))
    if (!bad) await client.realtime.setAuth(session.access_token)
    await until(client.channel('role').on('postgres_changes', { event: '*', ...TASKS }, () => {}), 'SUBSCRIBED')
    await client.from('project_tasks').select('id').limit(1)
  },
  'token-expired': async () => {
    const client = connect()
    await client.realtime.setAuth(SHORT_TOKEN)
    await until(client.channel('expiry'), 'SUBSCRIBED')
    if (!bad) await client.realtime.setAuth(LONG_TOKEN)
  },
  'joined-twice': async () => {
    const client = connect()
    await until(client.channel('twice'), 'SUBSCRIBED')
    // Channels of supabase-js leave their topic first; other clients don't.
    const join = { topic: 'realtime:twice', event: 'phx_join', payload: { config: {} }, ref: '99', join_ref: '99' }
    if (bad) client.realtime.push(join)
  },
  'channels-never-left': async () => {
    const client = await member()
    for (let number = 0; number < 6; number += 1) {
      const channel = client.channel(`page-${number}`).on('postgres_changes', { event: '*', ...TASKS }, () => {})
      await until(channel, 'SUBSCRIBED')
      if (!bad) await client.removeChannel(channel)
    }
  },
  'too-many-connections': async () => {
    let client = connect()
    for (let number = 0; number < 5; number += 1) {
      if (bad) client = connect()
      const channel = client.channel(`visit-${number}`)
      await until(channel, 'SUBSCRIBED')
      if (bad) await client.removeAllChannels()
    }
  },
  'push-outside-join': async () => {
    const client = connect()
    const channel = client.channel('early', { config: { broadcast: { ack: true } } })
    await until(channel, 'SUBSCRIBED')
    const payload = { type: 'broadcast', event: 'hello', payload: {} }
    await channel.send(payload)
    await until(client.channel('other'), 'SUBSCRIBED')
    if (bad) {
      await client.removeChannel(channel)
      client.realtime.push({ topic: 'realtime:early', event: 'broadcast', payload, ref: '99' })
    }
  },
  'binding-refused': async () => {
    const client = await member()
    const table = bad ? 'no_such_table' : 'project_tasks'
    await ready(client.channel('refused').on('postgres_changes', { event: '*', schema: 'public', table }, () => {}))
  },
  'change-twice': async () => {
    const channel = (await member()).channel('doubled')
    const came = first(channel, { event: 'INSERT', ...TASKS })
    if (bad) channel.on('postgres_changes', { event: '*', ...TASKS }, () => {})
    await ready(channel)
    await task('twice')
    await came
  },
  'delete-filter': async () => {
    const { id, production_id } = await task('filtered')
    const filter = bad ? `production_id=eq.${production_id}` : `id=eq.${id}`
    const channel = (await member()).channel('filtered')
    const came = first(channel, { event: '*', ...TASKS, filter })
    await ready(channel)
    await writer.from('project_tasks').update({ title: 'changed' }).eq('id', id)
    await came
  },
  'presence-not-enabled': async () => {
    const channel = connect().channel('lonely')
    if (!bad) channel.on('presence', { event: 'sync' }, () => {})
    await until(channel, 'SUBSCRIBED')
    await channel.track({ at: 'door' })
  },
  'presence-rate': async () => {
    const channel = connect().channel('restless').on('presence', { event: 'sync' }, () => {})
    await until(channel, 'SUBSCRIBED')
    for (let number = 0; number < (bad ? 6 : 2); number += 1) channel.track({ number })
  },
  'private-and-public': async () => {
    const [one, other] = [await member(), await member()]
    await until(one.channel('e2e:both', { config: { private: true } }), 'SUBSCRIBED')
    await until(other.channel('e2e:both', { config: { private: !bad } }), 'SUBSCRIBED')
  },
  'no-acknowledgement': async () => {
    const client = await member()
    const config = { private: true, broadcast: { ack: true } }
    const channel = client.channel(bad ? 'e2e:read' : 'e2e:both', { config })
    await until(channel, 'SUBSCRIBED')
    const sent = channel.send({ type: 'broadcast', event: 'hello', payload: {} })
    if (!bad) await sent
  },
  'heartbeat-late': async () => {
    const heartbeatIntervalMs = bad ? 600_000 : 500
    const client = createClient(SUPABASE_URL, SUPABASE_ANON_KEY, options({ realtime: { heartbeatIntervalMs } }))
    await until(client.channel('alive'), 'SUBSCRIBED')
  },
  'not-rejoined': async () => {
    const client = connect()
    let joins = 0
    const channel = client.channel('lost')
    await new Promise((resolve) =>
      channel.subscribe(async (status) => {
        if (status === 'SUBSCRIBED' && ++joins === 1) say('cut')
        if (status === 'SUBSCRIBED' && joins === 2) resolve()
        if (status === 'CHANNEL_ERROR' && joins === 1 && bad) {
          joins = 0
          await client.removeChannel(channel)
          await client.realtime.disconnect()
          client.realtime.connect()
          resolve()
        }
      }),
    )
  },
  'not-read-again': async () => {
    const client = await member()
    const channel = client.channel('stale').on('postgres_changes', { event: '*', ...TASKS }, () => {})
    let losses = 0
    let subscriptions = 0
    await new Promise((resolve) => {
      channel.on('system', {}, () => ++subscriptions === 1 && say('cut'))
      channel.subscribe(async (status) => {
        if (status === 'CHANNEL_ERROR' && ++losses === 1) await task('missed')
        if (status === 'SUBSCRIBED' && losses) {
          if (!bad) await client.from('project_tasks').select('id,title').limit(1)
          resolve()
        }
      })
    })
  },
}

setInterval(() => {}, 60_000)
await apps[name]()
say('ready')
