// The suites `latency` and `load` of `prt test` in supabase-js: node suites.mjs SAMPLES CLIENTS RATE SECONDS
import { createClient } from '@supabase/supabase-js'
import WebSocket from 'ws'

const [samples, clients, rate, seconds] = process.argv.slice(2).map(Number)
const RAMP = [0.25, 0.5, 0.75, 1]
const now = () => performance.timeOrigin + performance.now()

const connect = async () => {
  const client = createClient(process.env.SUPABASE_URL, process.env.SUPABASE_ANON_KEY, {
    accessToken: async () => process.env.PRT_TOKEN,
    realtime: { transport: WebSocket },
  })
  await client.realtime.setAuth()
  return client
}
const insert = async (client, title) => {
  const { error } = await client.from('notifications').insert({ title }).select()
  if (error) throw error
}
const subscribe = (client, mark, take) =>
  new Promise((resolve, reject) => {
    client
      .channel(`suites:${mark}`)
      .on(
        'postgres_changes',
        { event: 'INSERT', schema: 'public', table: 'notifications', filter: `title=like.${mark}%` },
        (payload) => take(now() - Date.parse(payload.commit_timestamp)),
      )
      .on('system', {}, (message) => (message.status === 'ok' ? resolve() : reject(new Error(message.message))))
      .subscribe((status, error) => error && reject(error))
  })
const summary = (lags) => {
  const sorted = Float64Array.from(lags).sort()
  const at = (share) => sorted[Math.max(Math.ceil(share * sorted.length), 1) - 1]
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}

const latency = async () => {
  const client = await connect()
  const lags = []
  let arrived
  await subscribe(client, 'js-latency', (lag) => {
    lags.push(lag)
    arrived()
  })
  for (let number = 0; number < samples; number += 1) {
    const arrival = new Promise((resolve) => (arrived = resolve))
    await insert(client, `js-latency ${number}`)
    await arrival
  }
  client.realtime.disconnect()
  return { expected: samples, delivered: lags.length, lag_ms: summary(lags) }
}

const load = async () => {
  const lags = []
  const subscribers = await Promise.all(Array.from({ length: clients }, connect))
  await Promise.all(subscribers.map((client) => subscribe(client, 'js-load', (lag) => lags.push(lag))))
  const writes = []
  let due = now()
  for (const share of RAMP) {
    for (const end = due + (seconds * 1000) / RAMP.length; due < end; due += 1000 / (rate * share)) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(due - now(), 0)))
      writes.push(insert(subscribers[0], `js-load ${writes.length}`))
    }
  }
  await Promise.all(writes)
  const expected = writes.length * clients
  for (let before = -1; lags.length < expected && lags.length > before; ) {
    before = lags.length
    await new Promise((resolve) => setTimeout(resolve, 2000))
  }
  subscribers.forEach((client) => client.realtime.disconnect())
  return { expected, delivered: lags.length, lag_ms: summary(lags) }
}

const found = { latency: await latency(), load: await load() }
await (await connect()).from('notifications').delete().like('title', 'js-l%')
process.stdout.write(JSON.stringify(found), () => process.exit())
