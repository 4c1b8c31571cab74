import { chown, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/temporary.ts'
import { describeWith } from '../support/tools.ts'
import { DURATION, makeClockVideo, secondsOf, TO_STRIPES } from './clock-video.ts'
import { Demo, PLACES, put } from './demo.ts'
import { run } from './run.ts'
import { tapWire } from './wire.ts'

const NOBODY = 65_534
const FFMPEG = ['-nostdin', '-v', 'error']
const RAW = ['-vf', TO_STRIPES, '-f', 'rawvideo', '-']
/** What a program gives back that had nothing to complain of. */
const CLEAN = { code: 0, stderr: '' }
const second = (number: number) => Array<number>(15).fill(number)

describeWith(['ffmpeg'], 'a video of 40 MB with its index at the end', () => {
  let demo: Demo
  let clip: string
  let size: number

  beforeAll(async () => {
    demo = await Demo.start()
    clip = join(demo.directory, 'clip.mp4')
    await makeClockVideo(clip, 'end')
    size = (await stat(clip)).size
  })

  afterAll(() => demo?.stop())

  /** Expects 206 alone, and ranges from the start, from the index at the end, and from shortly before that time. */
  async function expectSeek(url: string, time: number): Promise<void> {
    const begins = (from: number, to: number) =>
      expect.toSatisfy((start: number) => start >= size * from && start < size * to)
    const wanted = [0, begins(0.99, 1), begins((time - 4) / DURATION, time / DURATION)]
    const starts = () =>
      demo.answers(url).map((answer) => Number(/^206 bytes=(\d+)-\d*$/.exec(answer)?.[1] ?? Number.NaN))
    await expect.poll(starts).toEqual(expect.arrayContaining(wanted))
    expect(starts()).not.toContain(Number.NaN)
  }

  describeWith(['ffprobe'], 'ffprobe', () => {
    it.each(PLACES)('reads facts from the end and packets from the midst: %s', async (_name, place) => {
      const url = await place(demo, clip, 'ffprobe.mp4')
      const entries = 'format=duration,size:stream=codec_name,nb_frames:packet=pts_time,data_hash'
      const flags = ['-v', 'error', '-of', 'json', '-show_data_hash', 'sha256', '-show_entries', entries]
      const probe = (input: string) => run('ffprobe', [...flags, '-read_intervals', '100%+#20', input])
      const remote = await probe(url)
      expect(remote).toMatchObject(CLEAN)
      const facts = JSON.parse(String(remote.stdout))
      expect(facts).toEqual(JSON.parse(String((await probe(clip)).stdout)))
      expect(facts.format).toEqual({ duration: `${DURATION}.000000`, size: String(size) })
      expect(facts.packets).toHaveLength(20)
      expect(facts.packets[0].pts_time).toBe('100.000000')
      await expectSeek(url, 100)
    })
  })

  it.each(PLACES)('ffmpeg -ss decodes the frames of that time: %s', async (_name, place) => {
    const url = await place(demo, clip, 'ffmpeg-ss.mp4')
    const flags = ['-ss', '120', '-i', url, '-frames:v', '45']
    const { stdout, ...end } = await run('ffmpeg', [...FFMPEG, ...flags, ...RAW])
    expect(end).toEqual(CLEAN)
    expect(secondsOf(stdout)).toEqual([...second(120), ...second(121), ...second(122)])
    await expectSeek(url, 120)
  })

  it('ffmpeg gets every packet of the whole', async () => {
    const url = await put(demo, clip, 'ffmpeg-whole.mp4')
    const hash = (input: string) => run('ffmpeg', [...FFMPEG, '-i', input, '-c', 'copy', '-f', 'hash', '-'])
    const { stdout, ...end } = await hash(url)
    expect(end).toEqual(CLEAN)
    expect(String(stdout)).toMatch(/^SHA256=/)
    expect(String(stdout)).toBe(String((await hash(clip)).stdout))
  })

  describeWith(['mpv'], 'mpv', () => {
    const middle = ['--no-config', '--start=50%', '--length=1']

    it.each(PLACES)('starts in the midst and decodes the frames of that time: %s', async (_name, place) => {
      const url = await place(demo, clip, 'mpv-frames.mp4')
      const frames = join(await temporaryDirectory(), 'frames')
      const output = [`--vf=${TO_STRIPES}`, `--o=${frames}`, '--of=rawvideo', '--ovc=rawvideo']
      expect(await run('mpv', [...middle, ...output, url])).toMatchObject({ code: 0 })
      expect(secondsOf(await readFile(frames))).toEqual(second(80))
      await expectSeek(url, 80)
    })

    it('plays from the midst by the clock', async () => {
      const url = await put(demo, clip, 'mpv-plays.mp4')
      // biome-ignore lint/suspicious/noTemplateCurlyInString: mpv's own placeholder, of the status line of each frame.
      const output = ['--vo=null', '--ao=null', '--term-status-msg=at ${=time-pos};']
      const { code, stderr } = await run('mpv', [...middle, ...output, url])
      expect(code).toBe(0)
      const times = [...stderr.matchAll(/at ([\d.]+);/g)].map(([, time]) => Number(time))
      expect(Math.min(...times)).toBeCloseTo(80, 1)
      expect(Math.max(...times)).toBeGreaterThan(80.8)
      await expectSeek(url, 80)
    })
  })

  describeWith(['cvlc'], 'VLC', () => {
    /** Writes to `dump` what VLC has of the video from that time on, as it came out of the MP4. */
    function demux(url: string, directory: string, dump: string) {
      const times = ['--start-time=80', '--stop-time=82']
      const output = ['--sout', `#std{access=file,mux=dummy,dst=${dump}}`]
      // It refuses to run as root.
      const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
      const flags = ['--intf', 'dummy', '--play-and-exit', ...times, ...output, url]
      return run('cvlc', flags, { ...user, env: { HOME: directory } })
    }

    it.each(PLACES)('seeks by If-Match and gets the frames of that time: %s', async (_name, place) => {
      const url = await place(demo, clip, 'vlc.mp4')
      const wire = await tapWire(url)
      const directory = await temporaryDirectory()
      if (process.getuid?.() === 0) await chown(directory, NOBODY, NOBODY)
      const dump = join(directory, 'dump.h264')
      expect(await demux(wire.url, directory, dump)).toMatchObject({ code: 0 })
      const { stdout, ...end } = await run('ffmpeg', [...FFMPEG, '-xerror', '-i', dump, ...RAW])
      expect(end).toEqual(CLEAN)
      // From the key frame before, and on to what had been read when it stopped.
      const seconds = secondsOf(stdout)
      expect(Math.min(...seconds)).toBeGreaterThanOrEqual(76)
      expect(seconds.filter((shown) => shown === 80)).toEqual(second(80))
      await expectSeek(url, 80)
      const conditions = wire.heads.map((head) => /^If-Match: (.*)\r$/m.exec(head)?.[1])
      expect(conditions.slice(1)).toEqual(
        Array(conditions.length - 1).fill(expect.stringMatching(/^"[^"]+"$/)),
      )
    })
  })
})
