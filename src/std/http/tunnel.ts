import { request as plainRequest, type RequestOptions } from 'node:http'
import { Agent, type AgentOptions, request as secureRequest } from 'node:https'
import { isIP, type Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import { proxyAuthorization } from './proxy.ts'

/** An agent whose connections go through a proxy that sees nothing of them but the name of the server (RFC 9110, CONNECT). */
export function tunnelAgent(proxy: URL, context: SecureContext, options: AgentOptions): Agent {
  const agent = new Agent(options)
  // Node.js takes the socket from the callback where nothing is returned.
  Object.assign(agent, {
    createConnection(
      { host, port, servername, rejectUnauthorized }: RequestOptions & AgentOptions & { servername?: string },
      done: (error: Error | null, socket?: Socket) => void,
    ) {
      tunnel(proxy, `${isIP(host ?? '') === 6 ? `[${host}]` : host}:${port ?? 443}`, context).then(
        socket => {
          const secured = process.getBuiltinModule('node:tls').connect({
            socket,
            secureContext: context,
            rejectUnauthorized: rejectUnauthorized !== false,
            ...(servername && { servername }),
            ...(!servername && host && isIP(host) === 0 && { servername: host }),
            ...(host && { host }),
          })
          done(null, secured)
        },
        error => done(error),
      )
    },
  })
  return agent
}

function tunnel(proxy: URL, target: string, secureContext: SecureContext): Promise<Socket> {
  const request = proxy.protocol === 'https:' ? secureRequest : plainRequest
  return new Promise((resolve, reject) => {
    const asking = request({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...proxyAuthorization(proxy) },
      agent: false,
      ...(proxy.protocol === 'https:' && { secureContext }),
    })
    asking.setTimeout(20_000, () =>
      asking.destroy(Object.assign(new Error('the proxy does not answer'), { code: 'ETIMEDOUT' })),
    )
    asking.on('error', reject)
    asking.on('connect', (answer, socket) => {
      if (answer.statusCode === 200) return resolve(socket)
      socket.destroy()
      const why = `the proxy ${proxy.host} answered ${answer.statusCode} when asked for ${target}`
      reject(Object.assign(new Error(why), { code: 'PROXY_REFUSED' }))
    })
    asking.end()
  })
}
