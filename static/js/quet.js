// After the page is painted: count it once, and have it kept for a second look without network.
const { id, qr } = document.currentScript.dataset
const seen = () => {
  if (document.querySelector('#ngoai-mang:not([hidden])')) return
  navigator.sendBeacon?.('/quet', new URLSearchParams({ id }))
  const worker = navigator.serviceWorker
  worker?.register('/sw.js').then(() => worker.ready).then(ready => ready.active.postMessage({
    page: location.href, qr, parts: performance.getEntriesByType('resource').map(part => part.name)
  })).catch(() => {})
}
addEventListener('load', () => requestAnimationFrame(() => setTimeout(seen, 50)))
