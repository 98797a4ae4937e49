// Joins that wait for their subscription, on a table that is there and on one that is not; a stored broadcast.
import { connect, report, signIn } from './client.mjs'
import { seen, subscribed } from './seen.mjs'

const signedIn = async () => {
  const client = connect()
  await signIn(client)
  await client.realtime.setAuth()
  return client
}
const client = await signedIn()

const waiting = (name, table, rows) =>
  client
    .channel(name, { config: { postgres_changes_options: { wait: true, timeout: 5000 } } })
    .on('postgres_changes', { event: 'INSERT', schema: 'public', table }, ({ new: row }) => rows.add('row', row.title))

const rows = seen()
const missing = await subscribed(waiting('missing', 'no_such_table', rows))
const present = await subscribed(waiting('present', 'project_tasks', rows))
const { data: productions } = await client.from('productions').select('id').limit(1)
const task = { title: 'the first after SUBSCRIBED', production_id: productions[0].id }
const { error: refused } = await client.from('project_tasks').insert(task)
const row = refused ? null : await rows.next()
await client.from('project_tasks').delete().eq('title', 'the first after SUBSCRIBED')

const options = { private: true, broadcast: { ack: true } }
const sender = client.channel('e2e:both', { config: options })
await subscribed(sender)
const say = (n, persist) => sender.send({ type: 'broadcast', event: 'e', payload: { n }, persist })
const sent = [await say(1, true), await say(2, undefined), await say(3, { ttl: 60 })]
sent.push((await sender.httpSend('e', { n: 4 }, { persist: true })).success)

const past = seen()
const replay = { since: Date.now() - 60_000, limit: 25 }
const late = (await signedIn())
  .channel('e2e:both', { config: { ...options, broadcast: { replay } } })
  .on('broadcast', { event: 'e' }, ({ payload, meta }) => past.add('past', payload.n, meta.replayed))
await subscribed(late)
const replayed = [await past.next(), await past.next(), await past.next()]
report({ missing, present, refused, row, sent, replayed, left: past.left() })
