/** What the editor shows: skeletons on top, what the dance wants below, and the beats over both. */

const COLOURS = {
  back: '#15171c',
  accent: '#ff9628',
  energy: '#2c4258',
  beat: '#8fd3ff',
  bar: '#ffffff',
  found: '#ffffff30',
  chosen: '#ffdc46',
  words: '#9aa4b2',
  body: '#d8dee9',
  cursor: '#ff46be'
}
const STRIP = 34
const AXIS = 14

/** Seconds and pixels of a window of the clip. */
export class Window {
  constructor(end_s) {
    this.end_s = end_s
    this.from_s = 0
    this.to_s = end_s
  }

  x(t, width) {
    return ((t - this.from_s) / (this.to_s - this.from_s)) * width
  }

  t(x, width) {
    return this.from_s + (x / width) * (this.to_s - this.from_s)
  }

  /** Nearer (factor under 1) or farther around a time, never beyond the clip. */
  zoom(factor, around_s) {
    const length = Math.min(this.end_s, Math.max(1, (this.to_s - this.from_s) * factor))
    const share = (around_s - this.from_s) / (this.to_s - this.from_s)
    this.show(around_s - share * length, length)
  }

  scroll(by_s) {
    this.show(this.from_s + by_s, this.to_s - this.from_s)
  }

  show(from_s, length_s) {
    this.from_s = Math.min(Math.max(0, from_s), this.end_s - length_s)
    this.to_s = this.from_s + length_s
  }
}

/** Draws everything on a 2D context of `width` x `height` pixels of the page. */
export function draw(context, width, height, state) {
  context.fillStyle = COLOURS.back
  context.fillRect(0, 0, width, height)
  const floor = height - AXIS
  curve(context, state, state.data?.energy, COLOURS.energy, width, STRIP, floor, true)
  curve(context, state, state.data?.accent, COLOURS.accent, width, STRIP, floor, false)
  bodies(context, state, width)
  for (const t of state.data?.found ?? []) line(context, state, t, COLOURS.found, 1, width, STRIP, floor)
  state.beats.forEach((beat, i) => {
    const colour = i === state.chosen ? COLOURS.chosen : beat.bar ? COLOURS.bar : COLOURS.beat
    line(context, state, beat.t, colour, beat.bar ? 2.5 : 1.2, width, beat.bar ? 0 : STRIP, floor)
  })
  if (state.cursor_s != null) line(context, state, state.cursor_s, COLOURS.cursor, 1.5, width, 0, height)
  axis(context, state, width, height)
  if (state.words) words(context, state.words, width, height)
}

function line(context, { window }, t, colour, thick, width, top, bottom) {
  if (t < window.from_s || t > window.to_s) return
  const x = window.x(t, width)
  context.strokeStyle = colour
  context.lineWidth = thick
  context.beginPath()
  context.moveTo(x, top)
  context.lineTo(x, bottom)
  context.stroke()
}

function curve(context, { window, data }, values, colour, width, top, bottom, filled) {
  if (!values?.length) return
  context.beginPath()
  for (let x = 0; x <= width; x += 1) {
    const y = bottom - between(values, window.t(x, width) * data.fps) * (bottom - top)
    if (x === 0) context.moveTo(x, y)
    else context.lineTo(x, y)
  }
  if (filled) {
    context.lineTo(width, bottom)
    context.lineTo(0, bottom)
    context.fillStyle = colour
    context.fill()
  } else {
    context.strokeStyle = colour
    context.lineWidth = 1
    context.stroke()
  }
}

function between(values, at) {
  const low = Math.min(Math.max(Math.floor(at), 0), values.length - 1)
  const high = Math.min(low + 1, values.length - 1)
  return values[low] + (values[high] - values[low]) * Math.min(Math.max(at - low, 0), 1)
}

function bodies(context, { window, data }, width) {
  const all = (data?.bodies ?? []).filter(({ t }) => t >= window.from_s && t <= window.to_s)
  context.strokeStyle = COLOURS.body
  context.lineWidth = 1
  let free = 0
  for (const { t, lines } of all) {
    const x = window.x(t, width)
    if (x < free) continue
    free = x + STRIP * 0.9
    context.beginPath()
    for (const [x1, y1, x2, y2] of lines) {
      context.moveTo(x + x1 * STRIP, y1 * STRIP)
      context.lineTo(x + x2 * STRIP, y2 * STRIP)
    }
    context.stroke()
  }
}

function axis(context, { window }, width, height) {
  const step = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300].find((s) => window.x(window.from_s + s, width) > 44) ?? 600
  context.fillStyle = COLOURS.words
  context.font = '10px sans-serif'
  context.textAlign = 'left'
  for (let t = Math.ceil(window.from_s / step) * step; t < window.to_s; t += step) {
    context.fillText(`${+t.toFixed(2)}`, window.x(t, width) + 2, height - 3)
  }
}

function words(context, text, width, height) {
  context.fillStyle = COLOURS.words
  context.font = '12px sans-serif'
  context.textAlign = 'center'
  context.fillText(text, width / 2, height / 2 + STRIP / 2)
}
