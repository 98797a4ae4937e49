// An app behind `prt tap` while its connection is broken on purpose: node chaos.mjs NAME
import { createClient } from '@supabase/supabase-js'
import WebSocket from 'ws'
import { signIn } from './client.mjs'

const name = process.argv[2]
const { SUPABASE_URL, SUPABASE_ANON_KEY } = process.env
const client = createClient(SUPABASE_URL, SUPABASE_ANON_KEY, {
  auth: { persistSession: false, autoRefreshToken: false },
  realtime: { transport: WebSocket, heartbeatIntervalMs: 500 },
})
const say = (word) => process.stdout.write(`${word}\n`)
await signIn(client)
await client.realtime.setAuth()
const tasks = { event: '*', schema: 'public', table: 'project_tasks' }
const read = () => client.from('project_tasks').select('id,title').order('id').limit(5)
let changes = 0
let readies = 0

const listen = (topic, { isReading = true, isRenewing = false } = {}) => {
  const channel = client.channel(topic, { config: { broadcast: { ack: true, self: true } } })
  channel
    .on('postgres_changes', tasks, () => (changes += 1))
    .on('broadcast', { event: 'last' }, () => say(`changes ${changes}`))
    .on('system', {}, async ({ status, extension }) => {
      if (status !== 'ok' || extension !== 'postgres_changes') return
      readies += 1
      if (isReading) await read()
      if (readies === 1) say('ready')
      else if (name === 'once') process.exit(0)
    })
    .subscribe(async (status) => {
      if (status !== 'CLOSED' || !isRenewing) return
      isRenewing = false
      await client.auth.refreshSession()
      await client.realtime.setAuth()
      listen(`${topic}`, { isReading })
    })
  return channel
}

setInterval(() => {}, 60_000)
if (name === 'delay') {
  const channel = listen('slow')
  await new Promise((resolve) => setTimeout(resolve, 0))
  while (!readies) await new Promise((resolve) => setTimeout(resolve, 10))
  const begun = performance.now()
  await channel.send({ type: 'broadcast', event: 'ping', payload: {} })
  say(`took ${performance.now() - begun}`)
} else if (name === 'drop') {
  const channel = listen('lossy')
  while (!readies) await new Promise((resolve) => setTimeout(resolve, 10))
  const production_id = (await client.from('productions').select('id').order('id').limit(1)).data[0].id
  for (let number = 0; number < 3; number += 1) {
    const { data } = await client.from('project_tasks').insert({ production_id, title: 'lossy' }).select('id').single()
    await client.from('project_tasks').update({ title: 'lossier' }).eq('id', data.id)
  }
} else {
  listen('steady', { isReading: name !== 'careless', isRenewing: name === 'renewing' })
}
