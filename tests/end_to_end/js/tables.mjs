// Reads and writes tables as the member, and shows what supabase-js makes of the answers.
import { connect, report, signIn } from './client.mjs'

const client = connect(process.env.SUPABASE_PUBLISHABLE_KEY)
await signIn(client)
const tasks = () => client.from('project_tasks')
const productions = await client.from('productions').select('id,name', { count: 'exact' }).order('name').range(1, 2)
const production_id = productions.data[0].id

const inserted = await tasks()
  .insert([{ production_id, title: 'js one' }, { production_id, title: 'js two', priority: 'high' }], {
    defaultToNull: false,
  })
  .select('title,priority,productions(name)')
  .order('title')
const one = await tasks().select('id,title').eq('production_id', production_id).eq('title', 'js one').single()
const upserted = await tasks()
  .upsert({ id: one.data.id, production_id, title: 'js, "three"' })
  .select('title')
  .single()
const found = await tasks()
  .select('title')
  .or('title.eq."js, \\"three\\"",and(title.eq.js two,priority.eq.high)')
  .order('title', { ascending: false })
const updated = await tasks().update({ status: 'done' }).eq('title', 'js two').select('title,status')
const many = await tasks().select('id').eq('production_id', production_id).single()
const none = await tasks().select('id').eq('title', "'; drop table project_tasks; --").maybeSingle()
const missing = await client.from('no_such_table').select()
const column = await tasks().insert({ nope: 1 })
const head = await tasks().select('*', { count: 'exact', head: true }).like('title', 'js%')
const removed = await tasks().delete({ count: 'exact' }).like('title', 'js%')

report({ productions, inserted, upserted, found, updated, many, none, missing, column, head, removed })
