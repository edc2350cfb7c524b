// Scan pages come from the network, always; what was seen before stands in only while there is none, and says so.
const SHELF = 'quet-1', MOST = 120
const open = () => caches.open(SHELF)
const isScan = url => /^(\/en)?\/truy-xuat\/[^/]+$/.test(url.pathname)
const isPrinted = url => /^\/(t|01)\//.test(url.pathname)
const isPart = url => /^\/(static|media)\//.test(url.pathname)

// A code that was not found makes another page; whatever else came with the scan does not, nor do small letters.
const named = url => {
  const typed = url.searchParams.get('ma'), path = url.pathname.replace(/[^/]+$/, code => code.toUpperCase())
  return url.origin + path + (typed ? '?ma=' + encodeURIComponent(typed) : '')
}
const printed = path => path.replace(/\/$/, '').toUpperCase()

addEventListener('install', () => skipWaiting())
addEventListener('activate', event => event.waitUntil(clients.claim()))
addEventListener('message', event => event.waitUntil(keep(event.data)))
addEventListener('fetch', event => {
  const { request } = event, url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== location.origin) return
  if (request.mode !== 'navigate') {
    if (isPart(url)) event.respondWith(part(request))
  } else if (isScan(url)) event.respondWith(look(request, url))
  else if (isPrinted(url)) event.respondWith(fetch(request).catch(lost => lead(url, lost)))
})

async function keep({ page, qr, parts }) {
  const shelf = await open(), url = new URL(page)
  if (!isScan(url)) return
  for (const name of parts) {
    if (isPart(new URL(name)) && !await shelf.match(name)) await shelf.add(name).catch(() => {})
  }
  const answer = await fetch(page).catch(() => null)
  if (answer?.ok) await shelf.put(named(url), answer)
  if (qr) await shelf.put(printed(qr), new Response(named(url)))
  const all = await shelf.keys()
  for (const old of all.slice(0, Math.max(0, all.length - MOST))) await shelf.delete(old)
}

async function part(request) {
  return await caches.match(request, { ignoreVary: true }) ?? fetch(request)
}

async function look(request, url) {
  const shelf = await open()
  const kept = () => shelf.match(named(url), { ignoreVary: true })
  let answer
  try {
    answer = await fetch(request)
  } catch (lost) {
    const page = await kept()
    if (page) return stamped(page)
    throw lost
  }
  if (answer.ok) await shelf.put(named(url), answer.clone())
  else if (answer.status >= 500) { const page = await kept(); if (page) return stamped(page) }
  return answer
}

async function lead(url, lost) {
  const known = await (await open()).match(printed(url.pathname))
  if (known) return Response.redirect(await known.text(), 302)
  throw lost
}

async function stamped(page) {
  const headers = new Headers(page.headers), at = new Date(headers.get('Date') ?? Date.now())
  for (const name of ['Content-Encoding', 'Content-Length']) headers.delete(name)
  const text = (await page.text()).replace(/(id="ngoai-mang"[^>]*) hidden/, '$1')
    .replace('<time>…</time>', `<time datetime="${at.toISOString()}">${at.toLocaleString('vi-VN', { dateStyle: 'short', timeStyle: 'short' })}</time>`)
  return new Response(text, { headers })
}
