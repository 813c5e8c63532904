/**
 * Beats as a list of {t, bar}: seconds, and whether a bar starts there. Pure functions: each gives a new
 * list, rising in time. The text is the one that Edit Rhythm stores and a person can read.
 */

const ENTRY = /^(?:(\d+):)?(\d+(?:\.\d*)?|\.\d+)(?:\s*(d))?(?=\s|$)\s*/i

/** Nearest that two beats may lie, in seconds. */
export const NEAREST_S = 0.05

/** Beats of a text; null where it holds something else. An empty text has none. */
export function parse(text) {
  const beats = []
  for (const line of text.split(/\r?\n/)) {
    for (const part of line.split('#')[0].split(/[,;]/)) {
      let rest = part.trim()
      while (rest) {
        const found = rest.match(ENTRY)
        if (!found) return null
        beats.push({ t: 60 * Number(found[1] ?? 0) + Number(found[2]), bar: Boolean(found[3]) })
        rest = rest.slice(found[0].length)
      }
    }
  }
  return beats.every((beat, i) => i === 0 || beat.t > beats[i - 1].t) ? beats : null
}

/** A beat per line in milliseconds, a d behind those that start a bar. */
export function format(beats) {
  return beats.map(({ t, bar }) => `${t.toFixed(3)}${bar ? ' d' : ''}`).join('\n')
}

/** Beats from bar line to bar line, the median; 4 where fewer than two bar lines are known. */
export function metreOf(beats) {
  const starts = beats.flatMap(({ bar }, i) => (bar ? [i] : []))
  const steps = starts.slice(1).map((start, i) => start - starts[i])
  return steps.length ? steps.sort((a, b) => a - b)[steps.length >> 1] : 4
}

/** The index of the beat nearest to a time, within `reach_s`; -1 where there is none. */
export function nearest(beats, t, reach_s = Infinity) {
  let best = -1
  beats.forEach((beat, i) => {
    const away = Math.abs(beat.t - t)
    if (away <= reach_s && (best < 0 || away < Math.abs(beats[best].t - t))) best = i
  })
  return best
}

/** One beat at another time, kept between its neighbours and within the clip. */
export function moved(beats, index, t, end_s) {
  const low = index > 0 ? beats[index - 1].t + NEAREST_S : 0
  const high = index < beats.length - 1 ? beats[index + 1].t - NEAREST_S : end_s - 0.001
  return beats.map((beat, i) => (i === index ? { ...beat, t: Math.min(Math.max(t, low), high) } : beat))
}

/** All beats later by so many seconds; those that leave the clip are gone. */
export function shifted(beats, by_s, end_s) {
  return beats
    .map((beat) => ({ ...beat, t: beat.t + by_s }))
    .filter(({ t }) => t >= 0 && t < end_s)
}

/** One beat more, no bar line; the same list where one is too near. */
export function added(beats, t, end_s) {
  if (t < 0 || t >= end_s || nearest(beats, t, NEAREST_S) >= 0) return beats
  return [...beats, { t, bar: false }].sort((a, b) => a.t - b.t)
}

/** Without one beat; a bar that began there begins at the next. */
export function removed(beats, index) {
  const bar = beats[index].bar
  const rest = beats.filter((_, i) => i !== index).map((beat) => ({ ...beat }))
  if (bar && rest[index]) rest[index].bar = true
  return rest
}

/** Bars of `metre` beats, one of which starts at this beat. */
export function barsFrom(beats, index, metre = metreOf(beats)) {
  return beats.map((beat, i) => ({ ...beat, bar: (((i - index) % metre) + metre) % metre === 0 }))
}

/** This beat starts a bar, or no more; the others stay. */
export function barToggled(beats, index) {
  return beats.map((beat, i) => (i === index ? { ...beat, bar: !beat.bar } : beat))
}

/** Every other beat, the first bar line among them. */
export function halved(beats) {
  const first = Math.max(0, beats.findIndex(({ bar }) => bar))
  const kept = beats.filter((_, i) => (i - first) % 2 === 0)
  return barsFrom(kept, kept.indexOf(beats[first]), metreOf(beats))
}

/** A beat more half-way between every two. */
export function doubled(beats) {
  const first = Math.max(0, beats.findIndex(({ bar }) => bar))
  const finer = beats.flatMap((beat, i) =>
    i + 1 < beats.length ? [beat, { t: (beat.t + beats[i + 1].t) / 2, bar: false }] : [beat]
  )
  return barsFrom(finer, 2 * first, metreOf(beats))
}

/** A steady grid through taps (seconds, rising): their mean step, through the middle of them all. */
export function tapped(taps, end_s, metre = 4) {
  const n = taps.length
  const step = (taps[n - 1] - taps[0]) / (n - 1)
  const phase = taps.reduce((sum, t, i) => sum + t - i * step, 0) / n
  const first = phase - Math.floor(phase / step) * step
  const count = Math.max(0, Math.ceil((end_s - first) / step - 1e-9))
  const bar = Math.round((phase - first) / step)
  return barsFrom(
    Array.from({ length: count }, (_, i) => ({ t: first + i * step, bar: false })),
    bar,
    metre
  )
}
