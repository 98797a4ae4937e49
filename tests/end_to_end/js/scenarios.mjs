// The scenarios of test_foreign_clients.py with one version of supabase-js: node scenarios.mjs PACKAGE NAME…
import WebSocket from 'ws'
import { report, signIn } from './client.mjs'
import { metas, seen } from './seen.mjs'

const [, , version, ...names] = process.argv
const { createClient } = await import(version)
const { SUPABASE_URL, SUPABASE_ANON_KEY } = process.env

const anonymous = () =>
  createClient(SUPABASE_URL, SUPABASE_ANON_KEY, {
    auth: { persistSession: false, autoRefreshToken: false },
    // The oldest version takes one message in 100 ms, and with this one in 1 ms.
    realtime: { transport: WebSocket, params: { eventsPerSecond: 1000 } },
  })
const member = async () => {
  const client = anonymous()
  const { session } = await signIn(client)
  await client.realtime.setAuth(session.access_token)
  return client
}
const status = (channel) =>
  new Promise((resolve) => channel.subscribe((word, error) => resolve(error ? [word, error.message] : [word])))
const ready = async (channel) => {
  const system = seen()
  channel.on('system', {}, (message) => system.add(message.status, message.message))
  return [...(await status(channel)), ...(await system.next())]
}
const notes = (more = {}) => ({ event: '*', schema: 'public', table: 'foreign_notes', ...more })
const written = async (client, body) =>
  (await client.from('foreign_notes').insert({ body }).select('id').single()).data.id
// What comes faster it answers so, and drops.
const taken = async (send) => {
  for (;;) {
    const answer = await send()
    if (answer !== 'rate limited') return answer
    await new Promise(setImmediate)
  }
}
const said = (channel, event, payload, more = {}) => taken(() => channel.send({ type: 'broadcast', event, payload, ...more }))

const scenarios = {
  changes: async (topic) => {
    const client = await member()
    const came = seen()
    const channel = client.channel(topic).on('postgres_changes', notes({ filter: 'body=like.c%' }), (change) =>
      came.add(change.eventType, change.new.body ?? null, Object.keys(change.old)),
    )
    const began = await ready(channel)
    await written(client, 'another')
    const id = await written(client, 'c1')
    await client.from('foreign_notes').update({ body: 'c2' }).eq('id', id)
    await client.from('foreign_notes').delete().eq('id', id)
    return [began, await came.next(), await came.next(), await came.next(), came.left()]
  },
  refused_binding: async (topic) => ready((await member()).channel(topic).on('postgres_changes', notes({ table: 'nosuch' }), () => {})),
  broadcast: async (topic) => {
    const [one, two] = [anonymous(), anonymous()]
    const came = seen()
    const sender = one.channel(topic, { config: { broadcast: { self: true, ack: true } } })
    sender.on('broadcast', { event: 'e' }, ({ payload }) => came.add('itself', payload))
    const listener = two.channel(topic).on('broadcast', { event: 'e' }, ({ payload }) => came.add('another', payload))
    const began = [await status(sender), await status(listener)]
    const acknowledged = await said(sender, 'e', { n: 1 })
    const both = [await came.next(), await came.next()].sort()
    await said(listener, 'e', { n: 2 })
    return [began, acknowledged, both, await came.next(), came.left()]
  },
  presence: async (topic) => {
    const [one, two] = [anonymous(), anonymous()]
    const came = seen()
    const enter = (client, key) => client.channel(topic, { config: { presence: { key, enabled: true } } })
    const watcher = enter(one, 'watcher')
      .on('presence', { event: 'join' }, ({ key, newPresences }) => came.add('join', key, metas(newPresences)))
      .on('presence', { event: 'leave' }, ({ key, leftPresences }) => came.add('leave', key, metas(leftPresences)))
    const walker = enter(two, 'walker')
    await status(watcher)
    await status(walker)
    await taken(() => walker.track({ at: 'door' }))
    const joined = await came.next()
    const state = Object.keys(watcher.presenceState())
    await taken(() => walker.untrack())
    return [joined, state, await came.next()]
  },
  private_topic: async () => {
    const options = { config: { private: true, broadcast: { self: true, ack: true } } }
    const came = seen()
    const channel = (await member())
      .channel('e2e:both', options)
      .on('broadcast', { event: 'private' }, ({ payload }) => came.add(payload))
    const [allowed] = await status(channel)
    const [denied] = await status(anonymous().channel('e2e:both', options))
    await said(channel, 'private', { n: 1 })
    return [allowed, denied, await came.next()]
  },
  database_broadcast: async () => {
    const client = await member()
    const came = seen()
    const channel = client
      .channel('e2e:both', { config: { private: true } })
      .on('broadcast', { event: 'INSERT' }, ({ payload }) => came.add(payload.table, payload.record.body))
    const [began] = await status(channel)
    await client.from('e2e_notes').insert({ body: 'told' })
    return [began, await came.next()]
  },
  leaving: async (topic) => {
    const client = anonymous()
    const words = seen()
    client.channel(topic).subscribe((word) => words.add(word))
    const began = await words.next()
    const [channel] = client.getChannels()
    return [began, await client.removeChannel(channel), await words.next(), client.getChannels().length]
  },
  wait: async (topic) => {
    const client = await member()
    const came = seen()
    const config = { postgres_changes_options: { wait: true, timeout: 5000 } }
    const waiting = (name, table) =>
      client
        .channel(`${topic}:${name}`, { config })
        .on('postgres_changes', notes({ table, event: 'INSERT', filter: 'body=like.the%' }), ({ new: row }) => came.add(row.body))
    const [missing, reason] = await status(waiting('missing', 'nosuch'))
    const [present] = await status(waiting('present', 'foreign_notes'))
    await written(client, 'the first after SUBSCRIBED')
    return [missing, reason.split(':')[0], present, await came.next()]
  },
  persist: async () => {
    const options = { private: true, broadcast: { ack: true } }
    const sender = (await member()).channel('e2e:both', { config: options })
    await status(sender)
    const sent = [
      await said(sender, 'kept', { n: 1 }, { persist: true }),
      await said(sender, 'kept', { n: 2 }),
      await said(sender, 'kept', { n: 3 }, { persist: { ttl: 60 } }),
      (await sender.httpSend('kept', { n: 4 }, { persist: true })).success,
    ]
    const past = seen()
    const replay = { since: Date.now() - 60_000, limit: 25 }
    const late = (await member())
      .channel('e2e:both', { config: { ...options, broadcast: { replay } } })
      .on('broadcast', { event: 'kept' }, ({ payload, meta }) => past.add(payload.n, meta.replayed))
    await status(late)
    return [sent, await past.next(), await past.next(), await past.next(), past.left()]
  },
}

const observed = await Promise.all(names.map((name) => scenarios[name](`${version}:${name}`)))
report(Object.fromEntries(names.map((name, place) => [name, observed[place]])))
