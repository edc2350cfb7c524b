// The editor of goods: saves as one types, keeps what could not be sent, sends photos one by one.
const form = document.querySelector('[data-autosave]')
const id = form.dataset.autosave
const token = form.elements.csrf_token.value
const status = form.querySelector('[data-status]')
const draftKey = 'nhap-hang:' + id
const fields = [...form.elements].filter(el => el.name && el.id)
const seen = Object.fromEntries(fields.map(el => [el.name, el.defaultValue ?? '']))
// what the shop holds: a list without a chosen line shows its first one, and nothing is held yet
for (const el of fields) if (el.tagName === 'SELECT') seen[el.name] = el.querySelector('option[selected]')?.value ?? ''
const field = name => form.elements[name]
const shown = Object.fromEntries(fields.map(el => [el.name, el.value]))
const hold = values => { Object.assign(seen, values); Object.assign(shown, values) }
const dirty = () => fields.filter(el => el.value !== shown[el.name])

// what was typed and not sent yet lies on this phone, field by field
function keepDraft() {
  const changed = Object.fromEntries(dirty().map(el => [el.name, el.value]))
  try {
    if (Object.keys(changed).length) localStorage.setItem(draftKey, JSON.stringify({ at: Date.now(), changed }))
    else localStorage.removeItem(draftKey)
  } catch { /* a phone whose memory is full still sends */ }
}
function readDraft() {
  try { return JSON.parse(localStorage.getItem(draftKey)) } catch { return null }
}

let timer, busy = false, again = false
async function save(overwrite = false) {
  clearTimeout(timer)
  const changed = dirty()
  // a number of days or months is nothing without its word, which may stand there untouched
  const unit = field('keeps_unit')
  if (unit && changed.includes(field('keeps_for')) && !changed.includes(unit) && unit.value !== seen.keeps_unit) changed.push(unit)
  if (!changed.length || !document.getElementById('khac-sua').hidden) return
  if (busy) { again = true; return }
  busy = true
  status.textContent = form.dataset.saving
  const body = new FormData()
  body.set('version', form.elements.version.value)
  for (const el of changed) {
    body.set(el.name, el.value)
    if (!overwrite) body.set('seen_' + el.name, seen[el.name])
  }
  const sent = Object.fromEntries(changed.map(el => [el.name, el.value]))
  try {
    const answer = await fetch(form.action, { method: 'POST', body, headers: { Accept: 'application/json', 'X-CSRF-Token': token } })
    if (answer.redirected || answer.status === 403) status.textContent = form.dataset.login
    else if (answer.ok) saved(sent, await answer.json())
    else if (answer.status === 422) wrong((await answer.json()).errors)
    else if (answer.status === 409) conflict(await answer.json())
    else throw new Error(answer.status)
  } catch {
    status.textContent = form.dataset.offline
    timer = setTimeout(save, 15000)
  }
  busy = false
  keepDraft()
  if (again) { again = false; save() }
}
function saved(sent, said) {
  hold(sent)
  form.elements.version.value = said.version
  for (const name of Object.keys(sent)) tell(name, '')
  status.textContent = form.dataset.saved
  const list = document.querySelector('[data-missing]')
  list.replaceChildren()
  if (said.missing.length) {
    const words = document.createElement('p'), items = document.createElement('ul')
    words.textContent = list.dataset.words
    items.append(...said.missing.map(([name, text]) => {
      const item = document.createElement('li')
      item.append(Object.assign(document.createElement('a'), { href: '#' + name, textContent: text }))
      return item
    }))
    list.append(words, items)
  }
  const badge = document.querySelector('[data-missing-count]')
  if (badge) badge.hidden = true
  if (said.reload) { keepDraft(); location.reload() }
}
function tell(name, message) {
  const place = document.getElementById(name + '-loi'), el = field(name)
  if (!place) return
  place.textContent = message; place.hidden = !message
  el.closest('.o-nhap').classList.toggle('sai', !!message)
  if (message) el.setAttribute('aria-invalid', 'true'); else el.removeAttribute('aria-invalid')
}
function wrong(errors) {
  status.textContent = form.dataset.wrong
  for (const [name, message] of Object.entries(errors)) tell(name, message)
}
function conflict(said) {
  const box = document.getElementById('khac-sua'), list = box.querySelector('dl')
  status.textContent = form.dataset.wrong
  box.querySelector('p').textContent = box.dataset.words.replace('{who}', said.who)
  list.replaceChildren(...Object.entries(said.theirs).flatMap(([name, text]) => {
    const title = document.createElement('dt'), words = document.createElement('dd')
    title.textContent = field(name)?.labels[0].firstChild.textContent ?? name; words.textContent = text || '–'
    return [title, words]
  }))
  box.hidden = false
  box.scrollIntoView({ block: 'center' })
  box.querySelector('[data-mine]').onclick = () => {
    form.elements.version.value = said.version; box.hidden = true
    hold(said.theirs); save(true)
  }
  box.querySelector('[data-theirs]').onclick = () => {
    form.elements.version.value = said.version; box.hidden = true
    for (const [name, text] of Object.entries(said.theirs)) { field(name).value = text; hold({ [name]: text }) }
    keepDraft(); save()
  }
}
form.addEventListener('input', event => {
  keepDraft()
  if (event.target.name === 'name') document.querySelector('[data-name]').textContent = event.target.value
  clearTimeout(timer); timer = setTimeout(save, 900)
})
form.addEventListener('change', () => save())
form.addEventListener('submit', () => { try { localStorage.removeItem(draftKey) } catch { /* nothing lies there */ } })
addEventListener('online', () => { save(); sendWaiting() })
addEventListener('pagehide', keepDraft)

// what an earlier visit could not send is offered again
const old = readDraft(), offer = document.getElementById('nhap-cu')
if (old && Object.entries(old.changed).some(([name, text]) => field(name) && field(name).value !== text)) {
  const time = new Date(old.at).toLocaleString(document.documentElement.lang === 'en' ? 'en-GB' : 'vi-VN', { hour: '2-digit', minute: '2-digit', day: '2-digit', month: '2-digit' })
  const names = Object.keys(old.changed).filter(field).map(name => field(name).labels[0].firstChild.textContent.trim())
  offer.querySelector('p').textContent = `${offer.dataset.words.replace('{time}', time)}: ${names.join(', ')}`
  offer.hidden = false
  offer.querySelector('[data-take]').onclick = () => {
    for (const [name, text] of Object.entries(old.changed)) if (field(name)) field(name).value = text
    offer.hidden = true; keepDraft(); save()
  }
  offer.querySelector('[data-drop]').onclick = () => { localStorage.removeItem(draftKey); offer.hidden = true }
}

// photos: each is sent alone, waits on the phone while there is no network, and shows how far it is
const photoForm = document.querySelector('[data-photos-form]')
const line = photoForm.querySelector('[data-sending]'), bar = line.querySelector('progress'), words = line.querySelector('span')
const headers = { 'X-CSRF-Token': token, 'X-Part': '1' }
const store = new Promise((found, lost) => {
  const asked = indexedDB.open('cho-phien-anh', 1)
  asked.onupgradeneeded = () => asked.result.createObjectStore('anh', { autoIncrement: true })
  asked.onsuccess = () => found(asked.result); asked.onerror = lost
})
store.catch(() => {})
async function inStore(mode, act) {
  const shelf = (await store).transaction('anh', mode).objectStore('anh')
  return new Promise((found, lost) => { const asked = act(shelf); asked.onsuccess = () => found(asked.result); asked.onerror = lost })
}
for (const input of photoForm.querySelectorAll('input[type=file]')) {
  input.onchange = async () => {
    const chosen = [...input.files]
    input.value = ''
    try { for (const file of chosen) await inStore('readwrite', shelf => shelf.add({ id, file })) } catch { await sendAll(chosen) }
    sendWaiting()
  }
}
let sending = false
async function sendWaiting() {
  if (sending) return
  sending = true
  try {
    const keys = await inStore('readonly', shelf => shelf.getAllKeys())
    let all = 0, number = 0
    const mine = []
    for (const key of keys) {
      const kept = await inStore('readonly', shelf => shelf.get(key))
      if (kept?.id === id) mine.push([key, kept.file])
    }
    all = mine.length
    for (const [key, file] of mine) {
      await send(file, ++number, all)
      await inStore('readwrite', shelf => shelf.delete(key))
    }
    line.hidden = true
  } catch { line.hidden = false; bar.hidden = true; words.textContent = line.dataset.later }
  sending = false
}
async function sendAll(files) {
  for (const [place, file] of files.entries()) await send(file, place + 1, files.length)
  line.hidden = true
}
async function send(file, number, all) {
  line.hidden = false; bar.hidden = false; bar.value = 0
  words.textContent = line.dataset.words.replace('{n}', number).replace('{all}', all)
  const ask = new FormData()
  ask.set('kind', file.type)
  const door = await (await fetch(photoForm.dataset.ask, { method: 'POST', body: ask, headers })).json()
  const body = new FormData()
  if (!door.url) {
    body.set('photos', file, file.name)
    return show(await post(photoForm.action, body, headers))
  }
  for (const [name, text] of Object.entries(door.fields)) body.set(name, text)
  body.set('file', file, file.name)
  const sent = await post(door.url, body, {})
  if (sent.status >= 300) throw new Error(sent.status)
  const told = new FormData()
  told.set('key', door.key); told.set('etag', sent.getResponseHeader('ETag') ?? '')
  show(await post(photoForm.dataset.arrived, told, headers))
}
function post(url, body, named) {
  return new Promise((found, lost) => {
    const asked = new XMLHttpRequest()
    asked.open('POST', url)
    for (const [name, text] of Object.entries(named)) asked.setRequestHeader(name, text)
    asked.upload.onprogress = event => { if (event.lengthComputable) bar.value = event.loaded / event.total }
    asked.onload = () => asked.status >= 500 ? lost(new Error(asked.status)) : found(asked)
    asked.onerror = asked.ontimeout = lost
    asked.send(body)
  })
}
function show(answer) { replace(answer.responseText) }

// the list of photos: replaced whole; asked for again while photos are being made
let asking
function replace(html) {
  const list = document.getElementById('danh-sach-anh')
  const fresh = new DOMParser().parseFromString(html, 'text/html').getElementById('danh-sach-anh')
  if (!fresh) return
  list.replaceWith(fresh)
  watch()
}
function watch() {
  const list = document.getElementById('danh-sach-anh')
  clearTimeout(asking)
  if (+list.dataset.waiting) asking = setTimeout(async () => {
    try { replace(await (await fetch(list.dataset.photos)).text()) } catch { watch() }
  }, 1200)
  draggable(list.querySelector('.anh-hang'))
}
document.addEventListener('submit', async event => {
  if (!event.target.matches('[data-photo]')) return
  event.preventDefault()
  const body = new FormData(event.target, event.submitter)
  try {
    const answer = await fetch(event.target.action, { method: 'POST', body, headers })
    replace(await answer.text())
  } catch { event.target.submit() }
})

// drag a photo to its place; the buttons do the same
function draggable(list) {
  if (!list) return
  for (const handle of list.querySelectorAll('.tranh')) {
    handle.onpointerdown = down => {
      const item = handle.closest('li')
      let moved = false
      handle.setPointerCapture(down.pointerId)
      handle.onpointermove = move => {
        if (!moved && Math.hypot(move.clientX - down.clientX, move.clientY - down.clientY) < 8) return
        moved = true
        item.classList.add('keo')
        const under = document.elementsFromPoint(move.clientX, move.clientY).map(el => el.closest('.anh-hang > li')).find(el => el && el !== item)
        if (!under) return
        const after = [...list.children].indexOf(under) > [...list.children].indexOf(item)
        under[after ? 'after' : 'before'](item)
      }
      handle.onpointerup = handle.onpointercancel = async () => {
        handle.onpointermove = handle.onpointerup = handle.onpointercancel = null
        item.classList.remove('keo')
        if (!moved) return
        const body = new FormData()
        body.set('ids', [...list.children].map(el => el.dataset.id).join(','))
        try { replace(await (await fetch(list.dataset.arrange, { method: 'POST', body, headers })).text()) } catch { /* the next look shows the order that stands */ }
      }
    }
    for (const picture of handle.querySelectorAll('img')) picture.draggable = false
  }
}
watch()
sendWaiting()
