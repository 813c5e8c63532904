/** Lets one hear music while it is written, where one asks for it. Off, nothing is computed or sent. */

import { app } from '../../../scripts/app.js'

const KINDS = ['D2M_Sampler', 'D2M_Continue']
const SETTING = 'dance2music.listen'
const WORDS = 'Listen while it writes'
const HEIGHT = 28
const MARGIN = 3
const PLAYING = 'playing'
const SOON_S = 0.08

/** Plays pieces of one run one after the other, gaplessly where they come in time. */
class Player {
  constructor(changed) {
    this.changed = changed
    this.run = undefined
    this.words = ''
    this.sources = new Set()
  }

  take(piece) {
    if (piece.number === 0 || piece.why) this.stop()
    if (piece.number === 0) this.begin(piece)
    if (piece.why) this.say(piece.why)
    else if (piece.run !== this.run) return
    else if (piece.stopped) this.stop()
    else if (piece.pcm) this.add(piece)
  }

  begin(piece) {
    this.context ??= new AudioContext()
    this.context.resume()
    this.run = piece.run
    this.next = 0
  }

  add({ pcm, rate, channels }) {
    const bytes = new DataView(Uint8Array.from(atob(pcm), (letter) => letter.charCodeAt(0)).buffer)
    const count = bytes.byteLength / 2 / channels
    const buffer = this.context.createBuffer(channels, count, rate)
    for (let channel = 0; channel < channels; channel++) {
      const samples = buffer.getChannelData(channel)
      for (let i = 0; i < count; i++) samples[i] = bytes.getInt16(2 * (i * channels + channel), true) / 32767
    }
    const source = this.context.createBufferSource()
    source.buffer = buffer
    source.connect(this.context.destination)
    this.next = Math.max(this.next, this.context.currentTime + SOON_S)
    source.start(this.next)
    this.next += buffer.duration
    this.sources.add(source)
    if (this.words !== PLAYING) this.say(PLAYING)
    source.onended = () => {
      this.sources.delete(source)
      if (!this.sources.size) this.say('')
    }
  }

  stop() {
    this.run = undefined
    for (const source of this.sources) {
      source.onended = null
      source.stop()
    }
    this.sources.clear()
    this.say('')
  }

  say(words) {
    this.words = words
    this.changed()
  }
}

const buttons = new Set()
const player = new Player(() => buttons.forEach(paint))

/** The setting: the page tells that it changes before it is changed. */
let listens = false

/** Which page has told the server that it listens. */
let told

async function tell(on) {
  const client = app.api?.clientId
  if (!client || (on ? client : undefined) === told) return
  told = on ? client : undefined
  const body = JSON.stringify({ client, on })
  const answer = await app.api.fetchApi('/d2m/listen', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body
  })
  if (!answer.ok) told = undefined
}

function paint(button) {
  const on = listens
  button.setAttribute('aria-pressed', String(on))
  button.textContent = `♪ ${WORDS}: ${on ? player.words || 'on' : 'off'}`
  button.title = on
    ? player.words || 'The music of the next run is heard as soon as it begins, before ending and level are made.'
    : 'Hear the music of the next run from its first second on. It changes nothing in the result.'
  button.style.color = on ? '#ff8ad8' : '#b8c0cc'
}

function changed(on) {
  listens = on === true
  if (!listens) player.stop()
  buttons.forEach(paint)
  tell(listens).catch((error) => console.warn('Dance to Music cannot listen:', error))
}

function install(node) {
  if (!node.addDOMWidget) return
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'd2m-listen'
  button.style.cssText =
    'width:100%;height:100%;overflow:hidden;white-space:nowrap;text-overflow:ellipsis;border:0;border-radius:4px;' +
    'background:#2a2f38;font-size:11px;cursor:pointer'
  button.addEventListener('pointerdown', (event) => event.stopPropagation())
  button.addEventListener('click', () => app.extensionManager.setting.set(SETTING, !listens))
  const widget = node.addDOMWidget('listen', 'd2m_listen', button, {
    serialize: false,
    hideOnZoom: false,
    margin: MARGIN,
    getMinHeight: () => HEIGHT,
    getMaxHeight: () => HEIGHT,
    getValue: () => '',
    setValue: () => {}
  })
  widget.serialize = false
  buttons.add(button)
  paint(button)
  const removed = node.onRemoved
  node.onRemoved = function () {
    buttons.delete(button)
    return removed?.apply(this, arguments)
  }
}

app.registerExtension({
  name: SETTING,
  settings: [
    {
      id: SETTING,
      name: WORDS,
      category: ['Dance to Music', 'Listening', WORDS],
      tooltip: 'Dance2Music Sampler and Continue / Extend Music are heard from the first second on.',
      type: 'boolean',
      defaultValue: false,
      onChange: changed
    }
  ],
  async nodeCreated(node) {
    if (KINDS.includes(node.comfyClass)) install(node)
  },
  async setup() {
    const api = app.api
    listens = app.extensionManager?.setting?.get(SETTING) === true
    api?.addEventListener('d2m.sound', ({ detail }) => listens && player.take(detail))
    // The page's name is known when the server has greeted it, and has to be told again to a new one.
    api?.addEventListener('status', () => listens && tell(true).catch(() => {}))
    api?.addEventListener('reconnected', () => {
      told = undefined
      if (listens) tell(true).catch(() => {})
    })
    for (const ended of ['execution_interrupted', 'execution_error']) api?.addEventListener(ended, () => player.stop())
    // Whoever plays the finished music does not want to hear both. Films of nodes play by themselves.
    document.addEventListener('play', ({ target }) => target instanceof HTMLAudioElement && player.stop(), true)
  }
})
