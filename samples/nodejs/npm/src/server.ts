import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { clock, highWaters } from './tides.js'

const app = new Hono()
const harbour = process.env.HARBOUR ?? 'Harbour'

app.get('/', context => context.text(`${harbour}: high water at ${highWaters(185).map(clock).join(' and ')}\n`))
app.get('/about', context =>
  context.json({ node: process.version, environment: process.env.NODE_ENV, directory: process.cwd() }),
)

const server = serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 8080) }, ({ port }) =>
  console.log(`Tide table on port ${port}`),
)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => server.close())
