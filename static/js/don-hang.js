// The page that waits for money: ask for the order's standing and reload when it has changed.
const waiting = document.querySelector('[data-standing]')
const look = async () => {
  if (document.hidden) return
  try {
    const answer = await fetch(waiting.dataset.address, { cache: 'no-store' })
    if (answer.ok && await answer.text() !== waiting.dataset.standing) location.reload()
  } catch { /* no signal: the next look may have one */ }
}
setInterval(look, 3000)
