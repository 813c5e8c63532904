/** Lets one choose the dancer on the picture of Select Dancer. Without it the fields of the node do the same. */

import { app } from '../../../scripts/app.js'
import { edits, keep, set } from '../page.js'

const HEIGHT = 220
const HOW = 'Click on somebody to follow them, or press their number.'

class People {
  /** @param {(values: object) => void} choose sets fields of the node */
  constructor(choose) {
    this.choose = choose
    this.element = document.createElement('div')
    this.element.className = 'd2m-people'
    this.element.style.cssText =
      'position:relative;width:100%;height:100%;display:flex;align-items:center;justify-content:center;' +
      'background:#15171c;color:#9aa4b2;font-size:12px;outline-offset:-1px'
    this.element.tabIndex = 0
    this.element.title = HOW
    this.element.setAttribute('role', 'application')
    this.element.setAttribute('aria-label', HOW)
    this.words = document.createElement('span')
    this.words.textContent = 'Run once, then click on who is to be followed.'
    this.picture = document.createElement('img')
    this.picture.alt = 'Everybody who was found, with their numbers'
    this.picture.draggable = false
    this.picture.style.cssText = 'display:none;max-width:100%;max-height:100%;cursor:pointer'
    this.mark = document.createElement('div')
    this.mark.style.cssText =
      'display:none;position:absolute;width:14px;height:14px;margin:-9px;border:2px solid #ff46be;border-radius:50%;' +
      'pointer-events:none'
    this.element.append(this.words, this.picture, this.mark)
    this.picture.addEventListener('pointerdown', (event) => this.press(event))
    this.element.addEventListener('keydown', (event) => this.key(event))
  }

  /** The picture that the server made; who is followed stands out in it. */
  show(image) {
    this.words.style.display = this.mark.style.display = 'none'
    this.picture.style.display = ''
    this.picture.src = app.api.apiURL(`/view?${new URLSearchParams(image)}`)
  }

  press(event) {
    if (event.button !== 0) return
    event.stopPropagation()
    this.element.focus({ preventScroll: true })
    const box = this.picture.getBoundingClientRect()
    const share = (at, from, length) => Math.round(100 * Math.min(Math.max((at - from) / length, 0), 1)) / 100
    const [x, y] = [share(event.clientX, box.left, box.width), share(event.clientY, box.top, box.height)]
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = this.picture
    this.mark.style.display = ''
    this.mark.style.left = `${offsetLeft + x * offsetWidth}px`
    this.mark.style.top = `${offsetTop + y * offsetHeight}px`
    this.choose({ dancer: 'at the point', x, y })
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !/^[0-9]$/.test(event.key)) return
    event.preventDefault()
    event.stopPropagation()
    this.mark.style.display = 'none'
    this.choose({ dancer: 'by number', number: Number(event.key) })
  }
}

function install(node) {
  if (!node.addDOMWidget) return undefined
  const people = new People((values) => {
    for (const [name, value] of Object.entries(values)) set(node, name, value)
    keep(node)
  })
  const widget = node.addDOMWidget('people', 'd2m_people', people.element, {
    serialize: false,
    hideOnZoom: false,
    getMinHeight: () => HEIGHT,
    getValue: () => '',
    setValue: () => {}
  })
  widget.serialize = false
  // The page would show the same picture once more below: in Nodes 2.0, and on the canvas.
  node.hideOutputImages = true
  node.onDrawBackground = () => {}
  return people
}

edits('dance2music.people', 'D2M_SelectDancer', (output) => output.images?.[0], install)
