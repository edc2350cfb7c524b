// The camera types what stands on a label, where the browser can read codes. Without it, or
// without leave to use it, the field is typed into as before.
const SECONDS = 30
const scan = async (button, field) => {
  let stream
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
  } catch { button.hidden = true; return }
  const video = document.createElement('video')
  Object.assign(video, { srcObject: stream, muted: true, playsInline: true, width: field.clientWidth })
  button.after(video)
  button.disabled = true
  await video.play()
  const reader = new BarcodeDetector(), end = Date.now() + SECONDS * 1000
  let found
  while (!found && Date.now() < end) {
    [found] = await reader.detect(video).catch(() => [])
    await new Promise(done => setTimeout(done, 200))
  }
  for (const track of stream.getTracks()) track.stop()
  video.remove()
  button.disabled = false
  if (!found) return field.focus()
  field.value = found.rawValue
  if (button.dataset.then) field.form.requestSubmit(document.getElementById(button.dataset.then))
}
if ('BarcodeDetector' in window && navigator.mediaDevices) {
  for (const button of document.querySelectorAll('[data-scan]')) {
    button.hidden = false
    button.onclick = () => scan(button, document.getElementById(button.dataset.scan))
  }
}
