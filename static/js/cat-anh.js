// The square on a photo: dragged by finger or arrow keys, its numbers lie in the form's sliders.
const box = document.querySelector('[data-crop]')
if (box) {
  const photo = box.querySelector('img'), square = box.querySelector('.khung-cat')
  const [x, y, side] = ['x', 'y', 'side'].map(name => document.getElementById(name))
  const draw = () => {
    const wide = photo.clientWidth, high = photo.clientHeight, length = Math.min(wide, high) * side.value / 1000
    const left = Math.max(0, Math.min(wide - length, wide * x.value / 1000 - length / 2))
    const top = Math.max(0, Math.min(high - length, high * y.value / 1000 - length / 2))
    Object.assign(square.style, { left: left + 'px', top: top + 'px', width: length + 'px', height: length + 'px' })
  }
  const place = (left, top) => {
    x.value = left / photo.clientWidth * 1000; y.value = top / photo.clientHeight * 1000
    draw()
  }
  square.hidden = false
  document.querySelector('[data-crop-hint]').hidden = false
  square.onpointerdown = down => {
    down.preventDefault()
    square.setPointerCapture(down.pointerId)
    const start = { x: down.clientX, y: down.clientY, left: square.offsetLeft + square.offsetWidth / 2, top: square.offsetTop + square.offsetHeight / 2 }
    square.onpointermove = move => place(start.left + move.clientX - start.x, start.top + move.clientY - start.y)
    square.onpointerup = square.onpointercancel = () => { square.onpointermove = null }
  }
  square.onkeydown = event => {
    const steps = { ArrowLeft: [x, -10], ArrowRight: [x, 10], ArrowUp: [y, -10], ArrowDown: [y, 10], '+': [side, 50], '-': [side, -50] }
    if (!steps[event.key]) return
    event.preventDefault()
    const [slider, by] = steps[event.key]
    slider.value = +slider.value + by
    draw()
  }
  for (const slider of [x, y, side]) slider.oninput = draw
  if (photo.complete) draw(); else photo.onload = draw
  addEventListener('resize', draw)
}
