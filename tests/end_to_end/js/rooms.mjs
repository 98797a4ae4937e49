// Two clients of supabase-js in private rooms with different rights, and what the database and HTTP send there.
import { connect, report, signIn } from './client.mjs'
import { seen, subscribed } from './seen.mjs'

const signedIn = async () => {
  const client = connect()
  await signIn(client)
  await client.realtime.setAuth()
  return client
}
const member = await signedIn()
const nobody = connect()
const listening = connect(process.env.SUPABASE_SECRET_KEY)

const open = (client, name, options = {}) =>
  client.channel(name, { config: { private: true, ...options, broadcast: { ack: true, ...options.broadcast } } })
const attempt = async (promise) => {
  try {
    return await promise
  } catch (error) {
    return error.message
  }
}
const say = (channel, n, options) => channel.send({ type: 'broadcast', event: 'e', payload: { n } }, options)

const heard = seen()
const ears = {}
for (const name of ['e2e:both', 'e2e:read', 'e2e:write']) {
  ears[name] = open(listening, name).on('broadcast', { event: '*' }, ({ event, payload, meta }) =>
    heard.add(name, event, payload instanceof ArrayBuffer ? [...new Uint8Array(payload)] : payload, meta ?? null),
  )
  await subscribed(ears[name])
}

const both = open(member, 'e2e:both')
const read = open(member, 'e2e:read')
const write = open(member, 'e2e:write')
const states = {
  nobody: await subscribed(open(nobody, 'e2e:both')),
  both: await subscribed(both),
  read: await subscribed(read),
  write: await subscribed(write),
}
await member.removeChannel(write)
const writing = open(member, 'e2e:write')
const sent = {
  both: await say(both, 1),
  read: await say(read, 2, { timeout: 500 }),
  binary: await both.send({ type: 'broadcast', event: 'b', payload: new Uint8Array([0, 255]).buffer }),
  httpBoth: await attempt(both.httpSend('h', { n: 3 })),
  httpBinary: await attempt(both.httpSend('h', new Uint8Array([1, 2]))),
  httpRead: await attempt(read.httpSend('h', { n: 4 })),
  httpWrite: await attempt(writing.httpSend('h', { n: 5 })),
  httpNobody: await attempt(open(nobody, 'e2e:write').httpSend('h', { n: 6 })),
}
const here = []
for (let count = 0; count < 5; count += 1) here.push(await heard.next())

// A trigger broadcasts the change of the row; who comes later has it replayed.
const since = Date.now() - 60_000
const note = await listening.from('e2e_notes').insert({ body: 'first' }).select().single()
const told = await heard.next()
const past = seen()
await subscribed(
  open(await signedIn(), 'e2e:both', { broadcast: { replay: { since, limit: 10 } } }).on('broadcast', { event: 'INSERT' }, (message) =>
    past.add(message),
  ),
)
// Others may have sent to this topic within the time that is replayed.
let replayed
do [replayed] = await past.next()
while (replayed.meta.id !== told[3].id)

report({ states, sent, here, note: note.data, told, replayed, left: heard.left() })
