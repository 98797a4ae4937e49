// One of two in a room: does what the other one asks for by broadcasts, and reports what it saw of the other.
import { connect, report } from './client.mjs'
import { metas, seen, subscribed } from './seen.mjs'

const client = connect()
const asked = seen()
const saw = []
const channel = client
  .channel('together', { config: { broadcast: { ack: true }, presence: { key: 'js', enabled: true } } })
  .on('presence', { event: 'join' }, ({ key, newPresences }) => saw.push(['join', key, metas(newPresences)]))
  .on('presence', { event: 'leave' }, ({ key, leftPresences }) => saw.push(['leave', key, metas(leftPresences)]))
  .on('broadcast', { event: 'cursor' }, ({ payload }) => saw.push(['cursor', payload]))
  .on('broadcast', { event: 'ask' }, ({ payload }) => asked.add(payload.what))
const status = await subscribed(channel)

const say = (event, payload) => channel.send({ type: 'broadcast', event, payload })
const acts = {
  track: () => channel.track({ at: 'door' }),
  update: () => channel.track({ at: 'desk' }),
  untrack: () => channel.untrack(),
  cursor: () => say('cursor', { x: 1, y: 2 }),
  http: () => channel.httpSend('cursor', { x: 3, y: 4 }),
}
const results = { ready: await say('ready', {}) }
for (let [what] = await asked.next(); what !== 'end'; [what] = await asked.next()) results[what] = await acts[what]()
report({ status, results, saw })
