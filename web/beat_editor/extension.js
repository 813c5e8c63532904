/** Puts the beat editor on Edit Rhythm. Without it the list of beats below does all the same. */

import { edits, keep } from '../page.js'
import { BeatEditor } from './editor.js'

const HEIGHT = 150

function install(node) {
  const text = node.widgets?.find(({ name }) => name === 'beats')
  if (!text || !node.addDOMWidget) return undefined
  const write = (value) => {
    text.value = value
    text.callback?.(value)
    keep(node)
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
  return editor
}

edits('dance2music.beatEditor', 'D2M_EditRhythm', (output) => output.d2m_beats?.[0], install)
