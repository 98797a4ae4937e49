// supabase-js to supabase-js: COUNT cursor moves through a room, one by one; the milliseconds that each took.
import { createClient } from '@supabase/supabase-js'
import WebSocket from 'ws'

const [topic, count, pause] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const connect = () =>
  createClient(process.env.SUPABASE_URL, process.env.SUPABASE_ANON_KEY, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: WebSocket },
  })
const joined = (channel) => new Promise((resolve) => channel.subscribe((status) => status === 'SUBSCRIBED' && resolve()))

let came
const ears = connect().channel(topic).on('broadcast', { event: 'cursor-move' }, () => came(performance.now()))
const mouth = connect().channel(topic)
await joined(ears)
await joined(mouth)
const times = []
for (let number = 0; number < count; number += 1) {
  const arrival = new Promise((resolve) => (came = resolve))
  const sent = performance.now()
  mouth.send({ type: 'broadcast', event: 'cursor-move', payload: { userId: 'u', position: { x: number, y: number } } })
  times.push((await arrival) - sent)
  await new Promise((resolve) => setTimeout(resolve, pause))
}
process.stdout.write(JSON.stringify(times), () => process.exit())
