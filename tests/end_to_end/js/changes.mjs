// Subscribes with a filter, writes rows through the same client, and shows the changes that came back.
import { connect, report, signIn } from './client.mjs'

const client = connect()
const { user } = await signIn(client)
const { data: productions } = await client.from('productions').select('id').order('id').limit(2)
const [mine, other] = productions.map(({ id }) => id)
const changes = { filtered: [], deleted: [], notified: [] }

const subscribed = Promise.withResolvers?.() ?? deferred()
const ready = deferred()
let arrived = deferred()
const keep = (name) => (payload) => {
  changes[name].push(payload)
  arrived.resolve()
}
// Under RLS a row that is gone when the server looks is not shown: each change is waited for before the next.
const came = async (name, count) => {
  while (changes[name].length < count) {
    arrived = deferred()
    await arrived.promise
  }
}
function deferred() {
  const made = {}
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }))
  return made
}

const table = { schema: 'public', table: 'project_tasks' }
client
  .channel('production-changes')
  .on('postgres_changes', { event: '*', ...table, filter: `production_id=eq.${mine}` }, keep('filtered'))
  .on('postgres_changes', { event: 'DELETE', ...table }, keep('deleted'))
  .on(
    'postgres_changes',
    { event: 'INSERT', schema: 'public', table: 'notifications', filter: `user_id=eq.${user.id}` },
    keep('notified'),
  )
  .on('system', {}, (message) => (message.status === 'ok' ? ready.resolve() : ready.reject(message)))
  .subscribe((status, error) => (status === 'SUBSCRIBED' ? subscribed.resolve(status) : subscribed.reject(error)))
const status = await subscribed.promise
await ready.promise

const write = async (promise) => {
  const { data, error } = await promise
  if (error) throw error
  return data
}
const insert = (production_id, title) =>
  write(client.from('project_tasks').insert({ production_id, title }).select().single())
const elsewhere = await insert(other, 'js elsewhere')
const here = await insert(mine, 'js here')
await came('filtered', 1)
await write(client.from('project_tasks').update({ status: 'in_progress' }).eq('id', here.id))
await came('filtered', 2)
await write(client.from('notifications').insert({ user_id: user.id, type: 'test', title: 'Test', message: 'Testing realtime' }))
await came('notified', 1)
await write(client.from('project_tasks').delete().in('id', [here.id, elsewhere.id]))
await came('deleted', 2)
await client.removeAllChannels()

report({ status, here, elsewhere, changes })
