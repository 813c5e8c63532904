/** Plays the beats as clicks, and tells where the clip would be. */

const LEAD_S = 0.1

export class Clicks {
  constructor(onMove, onEnd) {
    this.onMove = onMove
    this.onEnd = onEnd
    this.sound = null
  }

  get playing() {
    return this.sound !== null
  }

  /** Seconds into the clip now. */
  get now_s() {
    return this.sound.currentTime - this.start
  }

  play(beats, from_s, end_s) {
    this.stop()
    const sound = (this.sound = new AudioContext())
    this.start = sound.currentTime + LEAD_S - from_s
    for (const { t, bar } of beats) {
      if (t < from_s) continue
      const tone = new OscillatorNode(sound, { frequency: bar ? 1760 : 1175 })
      const gain = new GainNode(sound, { gain: 0 })
      const at = this.start + t
      gain.gain.setValueAtTime(bar ? 0.4 : 0.25, at)
      gain.gain.exponentialRampToValueAtTime(0.001, at + 0.05)
      tone.connect(gain).connect(sound.destination)
      tone.start(at)
      tone.stop(at + 0.06)
    }
    const tick = () => {
      if (this.sound !== sound) return
      if (this.now_s >= end_s) return this.stop()
      this.onMove(Math.max(from_s, this.now_s))
      requestAnimationFrame(tick)
    }
    tick()
  }

  stop() {
    if (!this.sound) return
    this.sound.close()
    this.sound = null
    this.onEnd()
  }
}
