// Signs in where a key pair signs tokens, and anonymously; then asks for what the embedded project lacks.
import { connect, report, signIn } from './client.mjs'

const wrong = (error) => error && { status: error.status, code: error.code, message: error.message }

const client = connect()
const { session } = await signIn(client)
// Verified here, with the key that Auth publishes: no request of a user is made.
const claims = await client.auth.getClaims()

const changes = []
let arrived
const arrival = new Promise((resolve) => (arrived = resolve))
const channel = client.channel('keys').on(
  'postgres_changes',
  { event: 'INSERT', schema: 'public', table: 'project_tasks', filter: 'title=eq.signed' },
  (change) => {
    changes.push(change.new.title)
    arrived()
  },
)
await new Promise((resolve) => {
  channel.on('system', {}, ({ status, message }) => message === 'Subscribed to PostgreSQL' && resolve(status))
  channel.subscribe()
})
const production = await client.from('productions').select('id').limit(1).single()
const inserted = await client
  .from('project_tasks')
  .insert({ title: 'signed', production_id: production.data?.id })
  .select('id')
  .single()
if (!inserted.error) await arrival
if (!inserted.error) await client.from('project_tasks').delete().eq('id', inserted.data.id)
await client.removeAllChannels()

const guest = connect()
const anonymous = await guest.auth.signInAnonymously({ options: { data: { theme: 'dark' } } })
const guestClaims = await guest.auth.getClaims()
const linked = await guest.auth.updateUser({ email: 'guest@example.com', password: 'a password of a guest' })
const again = await connect().auth.signInWithPassword({
  email: 'guest@example.com',
  password: 'a password of a guest',
})

const bucket = await client.storage.listBuckets()
const invoked = await client.functions.invoke('hello')
const mfa = await client.auth.mfa.enroll({ factorType: 'totp' })
const sso = await client.auth.signInWithSSO({ domain: 'example.com' })

report({
  header: claims.data?.header,
  role: claims.data?.claims.role,
  token: session.access_token,
  inserted: wrong(inserted.error),
  changes,
  anonymous: { error: wrong(anonymous.error), user: anonymous.data.user },
  guest: guestClaims.data && {
    header: guestClaims.data.header,
    isAnonymous: guestClaims.data.claims.is_anonymous,
  },
  linked: { error: wrong(linked.error), isAnonymous: linked.data.user?.is_anonymous },
  again: { error: wrong(again.error), id: again.data.user?.id },
  bucket: wrong(bucket.error),
  invoked: invoked.error && { status: invoked.response?.status, body: await invoked.response?.json() },
  mfa: wrong(mfa.error),
  sso: wrong(sso.error),
})
