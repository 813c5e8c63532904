/** Shows what a node has to say about its result: the page itself shows such words for few nodes of its own. */

import { app } from '../../../scripts/app.js'

const LINE_PX = 15
const MOST_LINES = 6

/** What each node said last: the page makes nodes anew when something is undone. */
const said = new Map()

function paper(node) {
  const element = document.createElement('div')
  element.className = 'd2m-words'
  element.style.cssText =
    'width:100%;height:100%;overflow:auto;white-space:pre-wrap;user-select:text;font-size:11px;color:#b8c0cc'
  element.addEventListener('pointerdown', (event) => event.stopPropagation())
  element.addEventListener('wheel', (event) => event.stopPropagation())
  const height = () => LINE_PX * Math.min(MOST_LINES, element.textContent.split('\n').length + 1)
  const widget = node.addDOMWidget('words', 'd2m_words', element, {
    serialize: false,
    hideOnZoom: false,
    getMinHeight: height,
    getMaxHeight: height,
    getValue: () => '',
    setValue: () => {}
  })
  widget.serialize = false
  return element
}

function show(node) {
  const text = node && said.get(String(node.id))
  if (!text || !node.addDOMWidget || !node.comfyClass?.startsWith('D2M_')) return
  node.words ??= paper(node)
  node.words.textContent = text
  const [width, height] = node.size
  node.setSize([width, Math.max(height, node.computeSize()[1])])
  node.graph?.setDirtyCanvas(true, true)
}

app.registerExtension({
  name: 'dance2music.words',
  async nodeCreated(node) {
    show(node)
  },
  async loadedGraphNode(node) {
    show(node)
  },
  async setup() {
    app.api?.addEventListener('executed', ({ detail }) => {
      const text = detail?.output?.text
      if (!text) return
      const id = String(detail.display_node ?? detail.node)
      const node = app.graph?.getNodeById(Number(id))
      if (!node?.comfyClass?.startsWith('D2M_')) return
      said.set(id, [text].flat().join('\n'))
      show(node)
    })
  }
})
