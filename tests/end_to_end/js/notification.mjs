// The seed's page tests its notifications: it inserts one for the user who is signed in.
import { connect, report, signIn } from './client.mjs'

const client = connect()
const { user } = await signIn(client)
const { data, error } = await client
  .from('notifications')
  .insert({ user_id: user.id, type: 'test', title: 'Test', message: 'Testing realtime' })
  .select('id,user_id')
  .single()
report({ data, error })
