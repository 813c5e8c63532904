/** Puts the beat editor on Edit Rhythm. Without it the list of beats below does all the same. */

import { app } from '../../../scripts/app.js'
import { BeatEditor } from './editor.js'

const NODE = 'D2M_EditRhythm'
const HEIGHT = 150

/** What each node found last: the page makes nodes anew when something is undone. */
const found = new Map()

function keep() {
  const tracker = app.extensionManager?.workflow?.activeWorkflow?.changeTracker
  ;(tracker?.captureCanvasState ?? tracker?.checkState)?.call(tracker)
}

function install(node) {
  const text = node.widgets?.find(({ name }) => name === 'beats')
  if (!text || !node.addDOMWidget) return
  const write = (value) => {
    text.value = value
    text.callback?.(value)
    node.graph?.setDirtyCanvas(true, true)
    keep()
  }
  const editor = new BeatEditor(() => String(text.value ?? ''), write)
  const widget = node.addDOMWidget('beat_editor', 'd2m_beats', editor.element, {
    serialize: false,
    hideOnZoom: false,
    getMinHeight: () => HEIGHT,
    getMaxHeight: () => HEIGHT,
    getValue: () => '',
    setValue: () => {}
  })
  widget.serialize = false
  node.beatEditor = editor
  const said = text.callback
  text.callback = function (...given) {
    const answer = said?.apply(this, given)
    editor.paint()
    return answer
  }
  const known = found.get(String(node.id))
  if (known) editor.show(known)
}

app.registerExtension({
  name: 'dance2music.beatEditor',
  async nodeCreated(node) {
    if (node.comfyClass === NODE) install(node)
  },
  async loadedGraphNode(node) {
    const known = node.comfyClass === NODE && found.get(String(node.id))
    if (known) node.beatEditor?.show(known)
  },
  async setup() {
    app.api?.addEventListener('executed', ({ detail }) => {
      const data = detail?.output?.d2m_beats?.[0]
      if (!data) return
      const id = String(detail.display_node ?? detail.node)
      found.set(id, data)
      app.graph?.getNodeById(Number(id))?.beatEditor?.show(data)
    })
  }
})
