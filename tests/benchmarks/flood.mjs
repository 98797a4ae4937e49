// The same job in supabase-js: every change of a table as a line of JSON on stdout, which is a file; ends after COUNT.
import { createClient } from '@supabase/supabase-js'
import { writeSync } from 'node:fs'
import WebSocket from 'ws'

const count = Number(process.argv[2])
const client = createClient(process.env.SUPABASE_URL, process.env.SUPABASE_ANON_KEY, {
  auth: { persistSession: false, autoRefreshToken: false },
  realtime: { transport: WebSocket },
})

let seen = 0
let lines = ''
const write = () => {
  if (lines) writeSync(1, lines)
  lines = ''
}

client
  .channel('flood')
  .on('postgres_changes', { event: '*', schema: 'public', table: 'project_tasks' }, (payload) => {
    lines += JSON.stringify(payload) + '\n'
    seen += 1
    if (lines.length > 65536 || seen === count) write()
    if (seen === count) process.exit(0)
  })
  .subscribe()
