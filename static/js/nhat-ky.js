// The lot diary on a phone: each line is kept here first, under a name of its own, and then sent. Without network it
// waits; sent twice it is still one line. Without this script the forms are sent as they are.
const box = document.getElementById('cho-gui'), told = document.getElementById('da-gui')
const words = box.dataset, forms = [...document.querySelectorAll('form[data-dong]')], main = document.getElementById('dong-moi')
const LONGEST_SIDE = 1600, PATIENCE = 60_000, TOLD = 'nhat-ky-da-gui'
let dirty = false

const whole = request => new Promise((done, fail) => {
  request.onsuccess = () => done(request.result); request.onerror = () => fail(request.error)
})
const opening = indexedDB.open('nhat-ky', 1)
opening.onupgradeneeded = () => opening.result.createObjectStore('dong', { keyPath: 'uid' })
const store = async how => (await ready).transaction('dong', how).objectStore('dong')
const ready = whole(opening)
const all = async () => (await whole((await store('readonly')).getAll())).sort((a, b) => a.at < b.at ? -1 : 1)
const keep = async line => whole((await store('readwrite')).put(line))
const forget = async uid => whole((await store('readwrite')).delete(uid))

// the phone's own time with its zone, to the millisecond
const stamp = date => {
  const ahead = -date.getTimezoneOffset(), two = n => String(n).padStart(2, '0'), size = Math.abs(ahead)
  return new Date(+date + ahead * 60_000).toISOString().slice(0, -1) + (ahead < 0 ? '-' : '+') + two(size / 60 | 0) + ':' + two(size % 60)
}
const moment = (form, fields) => {
  const written = form.dataset.at ? new Date(form.dataset.at) : new Date()
  if (fields.when === 'yesterday') return stamp(new Date(+written - 86_400_000))
  if (fields.when !== 'day') return stamp(written)
  const typed = fields.day && new Date(`${fields.day}T${fields.clock || '12:00'}`)
  return typed && !isNaN(typed) ? stamp(typed) : ''
}
// a photo of several megabytes costs a village's network minutes
const smaller = async photo => {
  try {
    const picture = await createImageBitmap(photo, { imageOrientation: 'from-image' })
    const shrink = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height))
    const canvas = document.createElement('canvas')
    Object.assign(canvas, { width: picture.width * shrink | 0, height: picture.height * shrink | 0 })
    canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height)
    const blob = await new Promise(done => canvas.toBlob(done, 'image/jpeg', .82))
    return blob && blob.size < photo.size ? blob : photo
  } catch { return photo }
}

async function compose(form) {
  const data = new FormData(form), taken = data.get('photo'), fields = Object.fromEntries([...data].filter(([, value]) => typeof value === 'string' && value))
  for (const name of ['csrf_token', 'uid']) delete fields[name]
  const chosen = form.querySelector('[name=kind]:checked')
  return {
    uid: form.dataset.uid || crypto.randomUUID(), to: form.dataset.dong, page: location.pathname, lot: form.dataset.lo,
    title: chosen ? chosen.nextElementSibling.textContent : form.querySelector('small')?.textContent ?? '',
    at: stamp(form.dataset.at ? new Date(form.dataset.at) : new Date()), fields, happened: moment(form, fields),
    photo: taken?.size ? await smaller(taken) : form.photo ?? null, writer: words.writer, name: words.name, state: 'waiting',
  }
}

async function send(line) {
  const body = new FormData()
  for (const [name, value] of Object.entries(line.fields)) body.append(name, value)
  for (const [name, value] of [['uid', line.uid], ['happened_at', line.happened], ['writer', line.writer]]) body.append(name, value)
  if (line.photo) body.append('photo', line.photo, 'anh.jpg')
  let answer
  try {
    answer = await fetch(line.to, { method: 'POST', body, redirect: 'manual', headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(PATIENCE) })
  } catch { return 'waiting' }
  if (answer.ok) { await forget(line.uid); return 'sent' }
  if (answer.type === 'opaqueredirect' || answer.status === 401 || answer.status === 403) line.state = 'login'
  else if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
    const why = await answer.json().catch(() => ({}))
    Object.assign(line, { state: 'refused', field: why.field, message: why.message })
  } else return 'waiting'
  await keep(line)
  return line.state
}

async function sync() {
  let count = 0
  const run = async () => {
    box.querySelector('[data-gui]').disabled = true
    for (const line of await all()) {
      if (line.state === 'refused' || !navigator.onLine) continue
      const end = await send(line)
      if (end === 'sent') count++
      if (end === 'waiting') break
    }
    box.querySelector('[data-gui]').disabled = false
  }
  await (navigator.locks?.request('nhat-ky', run) ?? run())
  await show()
  if (!count) return
  sessionStorage.setItem(TOLD, count)
  if (!dirty) location.reload()
  else tell(count)
}

const tell = count => { told.textContent = words.sent.replace('{n}', count); told.hidden = false }

async function show() {
  const lines = await all(), list = box.querySelector('ul'), mould = box.querySelector('template').content
  box.hidden = !lines.length
  box.querySelector('h2').textContent = words.count.replace('{n}', lines.length)
  box.querySelector('[data-vao]').hidden = !lines.some(line => line.state === 'login')
  list.replaceChildren(...lines.map(line => {
    const item = mould.cloneNode(true).firstElementChild, at = new Date(line.happened || line.at)
    item.querySelector('b').textContent = line.title
    item.querySelector('b + span').textContent = [line.lot, at.toLocaleString('vi-VN', { dateStyle: 'short', timeStyle: 'short' }), line.fields.place,
      line.fields.quantity && `${line.fields.quantity} ${line.fields.unit ?? ''}`, line.photo && words.photo].filter(Boolean).join(' · ')
    item.querySelector('.tem').textContent = words[line.state] + (line.writer === words.writer ? '' : ` (${words.other} ${line.name})`)
    const why = item.querySelector('.loi-o')
    why.textContent = line.message ?? ''; why.hidden = line.state !== 'refused' || !line.message
    item.querySelector('[data-sua]').onclick = () => mend(line)
    const away = item.querySelector('[data-bo]')
    away.onclick = async () => { if (confirm(away.dataset.hoi)) { await forget(line.uid); await show() } }
    return item
  }))
}

// what was typed goes back into the form; the line stays kept until it is written again under the same name
function mend(line) {
  if (!main || main.dataset.dong !== line.to) return location.assign(`${line.page}?sua=${line.uid}`)
  main.reset()
  for (const field of main.elements) {
    const value = line.fields[field.name]
    if (field.type === 'hidden' || field.type === 'file' || !field.name) continue
    if (field.type === 'radio' || field.type === 'checkbox') field.checked = field.value === value
    else field.value = value ?? ''
  }
  Object.assign(main.dataset, { uid: line.uid }, /day|happened_at/.test(line.field) ? {} : { at: line.at })
  main.photo = line.photo
  for (const details of main.querySelectorAll('details')) details.open = details.open || !!details.querySelector(':checked')
  const field = main.elements[line.field] ?? main.querySelector(`#${line.field || 'kind'}`) ?? main
  ;(field.scrollIntoView ? field : main).scrollIntoView({ block: 'center' })
  field.focus?.()
  dirty = true
}

for (const form of forms) {
  form.addEventListener('input', () => { dirty = true })
  form.addEventListener('submit', event => {
    event.preventDefault()
    const button = form.querySelector('button:not([type=button])')
    button.disabled = true
    compose(form).then(keep).then(async () => {
      const { place, done_by: who } = form.elements, values = [place?.value, who?.value]
      form.reset()
      for (const name of ['uid', 'at']) delete form.dataset[name]
      form.photo = null; dirty = false
      if (form === main) [place.value, who.value] = values
      button.disabled = false
      await show()
      if (!navigator.onLine) box.scrollIntoView({ block: 'center' })
      await sync()
    }, () => form.submit())
  })
}
// the unit that goes with a step, unless one was typed
main?.addEventListener('change', ({ target }) => {
  const { unit, quantity } = main.elements
  if (target.name === 'kind' && target.dataset.unit && !quantity.value) unit.value = target.dataset.unit
})
box.querySelector('[data-gui]').onclick = sync
addEventListener('online', sync)

const before = sessionStorage.getItem(TOLD)
if (before) { sessionStorage.removeItem(TOLD); tell(before) }
await show()
const wanted = new URLSearchParams(location.search).get('sua'), line = wanted && (await all()).find(one => one.uid === wanted)
if (line) mend(line)
else await sync()

// lots are opened in the field: their pages are put on the phone's shelf while there is network
const worker = navigator.serviceWorker, root = location.pathname.match(/^(\/en)?\/ban-hang\//)?.[0]
if (root) addEventListener('load', keepPages)
if (root && document.readyState === 'complete') keepPages()
async function keepPages() {
  if (!worker || document.querySelector('#ngoai-mang:not([hidden])')) return
  const lots = [...document.querySelectorAll('.danh-sach a[href*="/so-lo/"]')].map(link => link.pathname).slice(0, 10)
  const own = await worker.register('/nhat-ky-sw.js', { scope: root }).catch(() => null)
  const keeper = own && (own.installing ?? own.waiting ?? own.active)
  if (!keeper) return
  if (keeper.state !== 'activated') await new Promise(done => keeper.addEventListener('statechange', () => keeper.state === 'activated' && done()))
  keeper.postMessage({ pages: [location.pathname, ...lots], parts: performance.getEntriesByType('resource').map(part => part.name) })
}
