// What came, in its order, and a way to wait for it: `next` takes the oldest that nobody has taken.
export const seen = () => {
  const came = []
  const waiting = []
  return {
    add: (...what) => (waiting.length ? waiting.shift()(what) : came.push(what)),
    next: () => (came.length ? Promise.resolve(came.shift()) : new Promise((resolve) => waiting.push(resolve))),
    left: () => came,
  }
}

export const subscribed = (channel) =>
  new Promise((resolve) =>
    channel.subscribe((status, error) => resolve(error ? [status, error.message] : [status])),
  )

export const metas = (presences) => presences.map(({ presence_ref, ...meta }) => meta)
