/** What this pack's editors need of the page: results as they come, and undo for what is changed by hand. */

import { app } from '../../scripts/app.js'

/** Lets the page notice that a node was changed, so that Ctrl+Z takes it back. */
export function keep(node) {
  node.graph?.setDirtyCanvas(true, true)
  const tracker = app.extensionManager?.workflow?.activeWorkflow?.changeTracker
  ;(tracker?.captureCanvasState ?? tracker?.checkState)?.call(tracker)
}

/** Sets a widget as if a hand had. */
export function set(node, name, value) {
  const widget = node.widgets?.find((one) => one.name === name)
  if (!widget || widget.value === value) return
  widget.value = value
  widget.callback?.(value)
}

/**
 * Gives nodes of a kind an editor, and shows it what the server finds.
 *
 * What was found last is kept by node: the page makes nodes anew when something is undone.
 * @param {string} name of the extension
 * @param {string} kind of the nodes
 * @param {(output: object) => any} read what of a node's output the editor shows; undefined for nothing
 * @param {(node: object) => {show: (data: any) => void} | undefined} install puts the editor on a node
 */
export function edits(name, kind, read, install) {
  const found = new Map()
  const editors = new WeakMap()
  const show = (node) => {
    const known = node && found.get(String(node.id))
    if (known) editors.get(node)?.show(known)
  }
  app.registerExtension({
    name,
    async nodeCreated(node) {
      if (node.comfyClass !== kind) return
      const editor = install(node)
      if (editor) editors.set(node, editor)
      show(node)
    },
    async loadedGraphNode(node) {
      show(node)
    },
    async setup() {
      app.api?.addEventListener('executed', ({ detail }) => {
        const data = detail?.output && read(detail.output)
        if (data === undefined) return
        const id = String(detail.display_node ?? detail.node)
        const node = app.graph?.getNodeById(Number(id))
        if (node?.comfyClass !== kind) return
        found.set(id, data)
        show(node)
      })
    }
  })
}
