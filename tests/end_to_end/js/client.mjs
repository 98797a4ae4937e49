// A client of the project in the environment. `ws`: Node has a WebSocket of its own from 22 on.
import { createClient } from '@supabase/supabase-js'
import WebSocket from 'ws'

export const connect = (key = process.env.SUPABASE_ANON_KEY) =>
  createClient(process.env.SUPABASE_URL, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: WebSocket },
  })

export const signIn = async (client) => {
  const { data, error } = await client.auth.signInWithPassword({
    email: process.env.MEMBER_EMAIL,
    password: process.env.MEMBER_PASSWORD,
  })
  if (error) throw error
  return data
}

// Ends the script: supabase-js leaves a timer of ten seconds behind.
export const report = (observations) =>
  process.stdout.write(JSON.stringify(observations), () => process.exit())
