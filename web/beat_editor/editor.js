/** The beat editor: mouse and keys on a picture of the beats; what they say goes out as text. */

import * as Beats from './beats.js'
import { Clicks } from './clicks.js'
import { Window, draw } from './view.js'

const REACH_PX = 7
const KEYS =
  'Drag a beat; Shift-drag moves all. Double-click adds one, Delete takes the chosen one away, D starts the bars ' +
  'there (Shift+D that one alone), arrows choose and, with Alt, move by 10 ms. Space plays, T taps while it plays. ' +
  'Wheel zooms, Shift-wheel scrolls.'

export class BeatEditor {
  /**
   * @param {() => string} read the text as stored
   * @param {(text: string) => void} write stores another text
   */
  constructor(read, write) {
    this.read = read
    this.write = write
    this.data = null
    this.window = new Window(10)
    this.chosen = -1
    this.draft = null
    this.taps = []
    this.clicks = new Clicks((t) => this.paint(t), () => this.ended())
    this.build()
  }

  build() {
    this.element = document.createElement('div')
    this.element.className = 'd2m-beat-editor'
    this.element.style.cssText = 'display:flex;flex-direction:column;gap:2px;width:100%;height:100%'
    this.canvas = document.createElement('canvas')
    this.canvas.tabIndex = 0
    this.canvas.title = KEYS
    this.canvas.setAttribute('role', 'application')
    this.canvas.setAttribute('aria-label', `Beat editor. ${KEYS}`)
    this.canvas.style.cssText = 'flex:1;min-height:0;width:100%;outline-offset:-1px;touch-action:none;cursor:crosshair'
    this.bar = document.createElement('div')
    this.bar.style.cssText = 'display:flex;gap:4px;font-size:11px'
    this.element.append(this.canvas, this.bar)
    this.playButton = this.button('Play', 'Clicks on every beat (Space)', () => this.playOrStop())
    this.button('Tap', 'Tap the tempo while it plays (T)', () => this.tap())
    this.button('Half', 'Every other beat', () => this.edit(Beats.halved(this.beats)))
    this.button('Double', 'A beat more between every two', () => this.edit(Beats.doubled(this.beats)))
    this.button('As found', 'Takes the beats of the rhythm again', () => this.store(''))
    const on = (name, handler, options) => this.canvas.addEventListener(name, handler, options)
    on('pointerdown', (event) => this.press(event))
    on('pointermove', (event) => this.drag(event))
    on('pointerup', (event) => this.drop(event))
    on('pointercancel', (event) => this.drop(event))
    on('dblclick', (event) => this.add(event))
    on('contextmenu', (event) => this.take(event))
    on('keydown', (event) => this.key(event))
    on('wheel', (event) => this.wheel(event), { passive: false })
    new ResizeObserver(() => this.paint()).observe(this.canvas)
  }

  button(label, title, action) {
    const button = document.createElement('button')
    button.textContent = label
    button.title = title
    button.style.cssText =
      'flex:1;min-width:0;cursor:pointer;border:0;border-radius:4px;padding:2px;background:#33383f;color:#d8dee9'
    button.addEventListener('click', action)
    this.bar.append(button)
    return button
  }

  /** What the node found: seconds, curves, beats. */
  show(data) {
    this.data = data
    if (this.window.end_s !== data.duration_s) this.window = new Window(data.duration_s)
    this.paint()
  }

  /** The beats as they stand: being moved, typed, or found. */
  get beats() {
    if (this.draft) return this.draft
    const typed = Beats.parse(this.read())
    if (typed === null) return []
    return typed.length ? typed : this.data?.beats ?? []
  }

  get words() {
    if (Beats.parse(this.read()) === null) return 'The list of beats below cannot be read: mend it there.'
    return this.beats.length ? '' : 'Run once, then the beats stand here to be moved.'
  }

  paint(cursor_s = null) {
    const { clientWidth: width, clientHeight: height } = this.canvas
    if (!width || !height) return
    const sharp = window.devicePixelRatio || 1
    if (this.canvas.width !== Math.round(width * sharp) || this.canvas.height !== Math.round(height * sharp)) {
      this.canvas.width = Math.round(width * sharp)
      this.canvas.height = Math.round(height * sharp)
    }
    const context = this.canvas.getContext('2d')
    context.setTransform(sharp, 0, 0, sharp, 0, 0)
    const { data, chosen, beats, words } = this
    draw(context, width, height, { data, chosen, beats, words, cursor_s, window: this.window })
  }

  store(text) {
    this.draft = null
    this.write(text)
    this.paint()
  }

  edit(beats) {
    if (this.beats.length) this.store(Beats.format(beats))
  }

  // --- mouse ---

  time(event) {
    const box = this.canvas.getBoundingClientRect()
    return this.window.t((event.clientX - box.left) * (this.canvas.clientWidth / box.width), this.canvas.clientWidth)
  }

  at(event) {
    const reach_s = (REACH_PX / this.canvas.clientWidth) * (this.window.to_s - this.window.from_s)
    return Beats.nearest(this.beats, this.time(event), reach_s)
  }

  press(event) {
    if (event.button !== 0) return
    event.stopPropagation()
    this.canvas.focus({ preventScroll: true })
    this.chosen = this.at(event)
    if (this.chosen >= 0) {
      this.canvas.setPointerCapture(event.pointerId)
      this.held = { beats: this.beats, from_s: this.time(event), all: event.shiftKey }
    }
    this.paint()
  }

  drag(event) {
    if (!this.held) {
      this.canvas.style.cursor = this.at(event) >= 0 ? 'ew-resize' : 'crosshair'
      return
    }
    event.stopPropagation()
    const { beats, from_s, all } = this.held
    const by_s = this.time(event) - from_s
    if (!by_s && !this.draft) return
    this.draft = all
      ? Beats.shifted(beats, by_s, this.window.end_s)
      : Beats.moved(beats, this.chosen, beats[this.chosen].t + by_s, this.window.end_s)
    this.paint()
  }

  drop(event) {
    if (!this.held) return
    event.stopPropagation()
    this.held = null
    if (this.draft) this.store(Beats.format(this.draft))
  }

  add(event) {
    event.stopPropagation()
    if (this.at(event) >= 0) return
    const t = this.time(event)
    this.edit(Beats.added(this.beats, t, this.window.end_s))
    this.chosen = Beats.nearest(this.beats, t)
    this.paint()
  }

  take(event) {
    const index = this.at(event)
    if (index < 0) return
    event.preventDefault()
    event.stopPropagation()
    this.remove(index)
  }

  wheel(event) {
    if (document.activeElement !== this.canvas) return
    event.preventDefault()
    event.stopPropagation()
    const turn = event.deltaY || event.deltaX
    if (event.shiftKey) this.window.scroll(Math.sign(turn) * 0.1 * (this.window.to_s - this.window.from_s))
    else this.window.zoom(turn > 0 ? 1.25 : 0.8, this.time(event))
    this.paint()
  }

  // --- keys ---

  key(event) {
    const actions = {
      Delete: () => this.chosen >= 0 && this.remove(this.chosen),
      Backspace: () => this.chosen >= 0 && this.remove(this.chosen),
      d: () => this.chosen >= 0 && this.edit(Beats.barsFrom(this.beats, this.chosen)),
      D: () => this.chosen >= 0 && this.edit(Beats.barToggled(this.beats, this.chosen)),
      t: () => this.tap(),
      ' ': () => this.playOrStop(),
      ArrowLeft: () => this.step(-1, event.altKey),
      ArrowRight: () => this.step(1, event.altKey)
    }
    const action = event.ctrlKey || event.metaKey ? null : actions[event.key]
    if (!action) return
    event.preventDefault()
    event.stopPropagation()
    action()
  }

  remove(index) {
    this.edit(Beats.removed(this.beats, index))
    this.chosen = Math.min(index, this.beats.length - 1)
    this.paint()
  }

  step(by, moves) {
    const { beats, chosen } = this
    if (!beats.length) return
    if (moves && chosen >= 0) return this.edit(Beats.moved(beats, chosen, beats[chosen].t + by * 0.01, this.window.end_s))
    this.chosen = chosen < 0 ? 0 : Math.min(Math.max(chosen + by, 0), beats.length - 1)
    this.paint()
  }

  // --- clicks and taps ---

  playOrStop() {
    if (this.clicks.playing) return this.clicks.stop()
    this.taps = []
    this.clicks.play(this.beats, this.window.from_s, this.window.end_s)
    this.playButton.textContent = 'Stop'
  }

  ended() {
    this.playButton.textContent = 'Play'
    if (this.taps.length >= 4) this.store(Beats.format(Beats.tapped(this.taps, this.window.end_s, Beats.metreOf(this.beats))))
    this.taps = []
    this.paint()
  }

  tap() {
    if (!this.clicks.playing) return this.playOrStop()
    if (this.clicks.now_s >= 0) this.taps.push(this.clicks.now_s)
  }
}
