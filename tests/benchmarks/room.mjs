// The same job in supabase-js: every presence diff, or every cursor move, of a room as a line of JSON on stdout.
import { createClient } from '@supabase/supabase-js'
import { writeSync } from 'node:fs'
import WebSocket from 'ws'

const [kind, topic] = process.argv.slice(2)
const client = createClient(process.env.SUPABASE_URL, process.env.SUPABASE_ANON_KEY, {
  auth: { persistSession: false, autoRefreshToken: false },
  realtime: { transport: WebSocket },
})
const write = (event) => writeSync(1, JSON.stringify(event) + '\n')
const channel = client.channel(topic)
if (kind === 'diffs') channel.on('presence', { event: 'join' }, ({ event, key, newPresences }) => write({ event, key, presences: newPresences }))
else channel.on('broadcast', { event: 'cursor-move' }, write)
channel.subscribe()
