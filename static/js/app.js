// Progressive layer for the storefront. Everything below has a plain HTML path; this only makes it quicker.
const root = document.documentElement
root.classList.add('co-js')
const all = (selector, within = document) => within.querySelectorAll(selector)
const money = n => root.lang === 'en' ? '₫' + n.toLocaleString('en-US') : n.toLocaleString('vi-VN') + '\u00a0₫'

// the cart's count lives in a small readable cookie, so that pages stay the same for everyone
const counted = document.cookie.match(/(?:^|; )(?:__Host-)?gio_so=(\d+)/)
for (const badge of all('[data-cart-count]')) {
  if (counted && +counted[1]) { badge.textContent = counted[1]; badge.hidden = false }
}

// quantity stepper: the input stays a real number field
for (const box of all('.buoc')) {
  const input = box.querySelector('input'), [less, more] = all('button', box)
  const show = () => {
    const n = Math.min(+input.max || 999, Math.max(+input.min || 1, Math.round(+input.value) || 1))
    input.value = n; less.disabled = n <= +input.min; more.disabled = n >= +input.max
    const out = document.getElementById(input.dataset.total)
    if (out) out.textContent = money(n * input.dataset.price)
  }
  less.onclick = () => { input.stepDown(); show(); input.dispatchEvent(new Event('change', { bubbles: true })) }
  more.onclick = () => { input.stepUp(); show(); input.dispatchEvent(new Event('change', { bubbles: true })) }
  input.addEventListener('change', show); show()
}

// selects that change the rest of a form send it at once; without script its button does.
// By keyboard each letter changes the select: then it is sent when the focus leaves it.
for (const select of all('select[data-submit]')) {
  let typing = false
  const send = () => select.form.requestSubmit(document.getElementById(select.dataset.submit))
  select.onpointerdown = () => { typing = false }
  select.onkeydown = event => { typing = event.key !== 'Tab' }
  select.onchange = () => { if (typing) select.onblur = send; else send() }
}

// countdown: the server sends the end; digits every second, words stay for screen readers
for (const el of all('time[data-until]')) {
  const end = Date.parse(el.dataset.until)
  if (end - Date.now() > 864e5) continue
  const tick = () => {
    const s = Math.max(0, Math.round((end - Date.now()) / 1000))
    el.textContent = `${String(s / 60 | 0).padStart(2, '0')}:${String(s % 60).padStart(2, '0')}`
    if (!s) clearInterval(timer)
  }
  const timer = setInterval(tick, 1000); tick()
}

// copy and share
for (const b of all('[data-copy]')) {
  b.hidden = false
  b.onclick = async () => { await navigator.clipboard.writeText(b.dataset.copy); b.querySelector('span').textContent = b.dataset.done }
}
for (const b of all('[data-share]')) {
  b.hidden = false
  b.onclick = async () => {
    if (navigator.share) try { return await navigator.share({ url: location.href, title: document.title }) } catch { return }
    await navigator.clipboard.writeText(location.href); b.querySelector('span').textContent = b.dataset.done
  }
}
for (const b of all('[data-print]')) { b.hidden = false; b.onclick = () => print() }
