// Signs up, in, refreshes, changes the user, signs out; and administers users with the secret key.
import { connect, report } from './client.mjs'

const client = connect()
const email = 'js@example.com'
const password = 'a password of js'
const seen = async (promise) => {
  const { data, error } = await promise
  return { data, error: error && { status: error.status, code: error.code, message: error.message } }
}

const signedUp = await seen(client.auth.signUp({ email, password, options: { data: { name: 'Js' } } }))
const again = await seen(client.auth.signUp({ email, password }))
const wrong = await seen(client.auth.signInWithPassword({ email, password: 'not it' }))
const signedIn = await seen(client.auth.signInWithPassword({ email, password }))
const refreshed = await seen(client.auth.refreshSession())
const changed = await seen(client.auth.updateUser({ data: { name: 'Js the second' } }))
const user = await seen(client.auth.getUser())
const claims = await seen(client.auth.getClaims())
const own = await seen(client.from('productions').select('id'))
const token = refreshed.data.session.access_token
const signedOut = await client.auth.signOut()
const after = await seen(client.auth.getUser(token))
const gone = await seen(client.auth.refreshSession({ refresh_token: refreshed.data.session.refresh_token }))

const admin = connect(process.env.SUPABASE_SECRET_KEY).auth.admin
const created = await seen(admin.createUser({ email: 'made@example.com', password, email_confirm: true }))
const listed = await seen(admin.listUsers({ page: 1, perPage: 2 }))
const removed = await seen(admin.deleteUser(created.data.user.id))
await admin.deleteUser(signedUp.data.user.id)
const refusedAdmin = await seen(client.auth.admin.listUsers())

report({
  signedUp, again, wrong, signedIn, refreshed, changed, user, claims, own,
  signedOut, after, gone, created, listed, removed, refusedAdmin,
})
