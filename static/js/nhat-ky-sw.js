// The lot diary without network: pages of lots that were open before, and the list of lots. Nothing else of a desk
// is kept, and nothing at all once the shop asks for a log-in.
const SHELF = 'nhat-ky-1', MOST = 90
const isDiary = url => /^(\/en)?\/ban-hang\/[^/]+\/so-lo(\/\d+)?$/.test(url.pathname)
const isPart = url => url.pathname.startsWith('/static/')
const open = () => caches.open(SHELF)
const named = url => url.origin + url.pathname

addEventListener('install', () => skipWaiting())
addEventListener('activate', event => event.waitUntil(clients.claim()))
addEventListener('message', event => event.waitUntil(keep(event.data)))
addEventListener('fetch', event => {
  const { request } = event, url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== location.origin) return
  if (request.mode === 'navigate') { if (isDiary(url)) event.respondWith(look(event, url)) }
  else if (isPart(url)) event.respondWith(part(request))
})

async function keep({ pages, parts }) {
  const shelf = await open()
  for (const name of parts) {
    if (isPart(new URL(name)) && !await shelf.match(name)) await shelf.add(name).catch(() => {})
  }
  for (const name of pages) {
    const url = new URL(name, location.origin)
    if (isDiary(url)) await take(url, await fetch(url, { redirect: 'manual' }).catch(() => null))
  }
  const all = await shelf.keys()
  for (const old of all.slice(0, Math.max(0, all.length - MOST))) await shelf.delete(old)
}

async function take(url, answer) {
  if (answer?.type === 'opaqueredirect') return caches.delete(SHELF)
  if (answer?.ok) await (await open()).put(named(url), answer)
}

async function part(request) {
  return await caches.match(request, { ignoreVary: true }) ?? fetch(request)
}

async function look(event, url) {
  let answer
  try {
    answer = await fetch(event.request)
  } catch (lost) {
    const page = await kept(url)
    if (page) return page
    throw lost
  }
  if (answer.status >= 500) return await kept(url) ?? answer
  event.waitUntil(take(url, answer.clone()))
  return answer
}

async function kept(url) {
  const shelf = await open(), list = new URL(url)
  list.pathname = url.pathname.replace(/\/\d+$/, '')
  const page = await shelf.match(named(url), { ignoreVary: true }) ?? await shelf.match(named(list), { ignoreVary: true })
  if (!page) return null
  const headers = new Headers(page.headers), at = new Date(headers.get('Date') ?? Date.now())
  for (const name of ['Content-Encoding', 'Content-Length']) headers.delete(name)
  const text = (await page.text()).replace(/(id="ngoai-mang") hidden/, '$1')
    .replace('<time>…</time>', `<time datetime="${at.toISOString()}">${at.toLocaleString('vi-VN', { dateStyle: 'short', timeStyle: 'short' })}</time>`)
  return new Response(text, { headers })
}
