import type { Axes, MixerResult } from '../mixer/mixer.ts'
import { free, scope } from '../scope.ts'
import { formatShape, type Shape, sameShape, sizeOf, stridesOf } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'

/** Elements on the host, row-major, with the axes they are counted along. */
export interface HostTensor {
  readonly axes: Axes
  readonly shape: Shape
  readonly values: Float64Array
}

export type HostTensors = Readonly<Record<string, HostTensor>>
export type Tensors = Readonly<Record<string, Tensor>>
export type Result = MixerResult<string>

/** Puts host tensors on the executor in use, in its floating type. */
export function uploadAll(hosts: HostTensors): Tensors {
  return Object.fromEntries(Object.entries(hosts).map(([name, host]) => [name, toTensor(host)]))
}

function toTensor({ values, shape }: HostTensor): Tensor {
  return tensor(values, { shape })
}

/** Runs `body` in a scope and reads what it returns; nothing stays on the executor. */
export async function readAll(body: () => Readonly<Record<string, readonly [Tensor, Axes]>>): Promise<HostTensors> {
  const results = scope(body)
  const read: Record<string, HostTensor> = {}
  for (const [name, [result, axes]] of Object.entries(results)) {
    read[name] = { axes, shape: result.shape, values: Float64Array.from(await result.data()) }
  }
  free(Object.values(results).map(([result]) => result))
  return read
}

/** The elements at these places of an axis, in this order; a tensor without the axis as it is. */
export function take(host: HostTensor, axis: string, places: readonly number[]): HostTensor {
  const at = host.axes.indexOf(axis)
  if (at < 0) return host
  const shape = host.shape.with(at, places.length)
  const inner = stridesOf(host.shape)[at]
  const values = new Float64Array(sizeOf(shape))
  for (let i = 0; i < values.length; i++) {
    const outer = Math.floor(i / (inner * places.length))
    const place = places[Math.floor(i / inner) % places.length]
    values[i] = host.values[(outer * host.shape[at] + place) * inner + (i % inner)]
  }
  return { ...host, shape, values }
}

/** Replaces elements, told their place along an axis (−1 without it) and their index. */
export function replace(
  host: HostTensor,
  axis: string,
  value: (before: number, place: number, index: number) => number,
): HostTensor {
  const at = host.axes.indexOf(axis)
  const placeOf = (index: number) => (at < 0 ? -1 : Math.floor(index / stridesOf(host.shape)[at]) % host.shape[at])
  return { ...host, values: host.values.map((before, index) => value(before, placeOf(index), index)) }
}

export function mapHosts(hosts: HostTensors, change: (host: HostTensor, name: string) => HostTensor): HostTensors {
  return Object.fromEntries(Object.entries(hosts).map(([name, host]) => [name, change(host, name)]))
}

/**
 * @throws Error naming the tensor and its worst element when they are further apart than `tolerance`, relative to the
 * largest |element| wanted or 1. A tolerance of 0 asks for the same bits.
 */
export function agree(what: string, got: HostTensors, want: HostTensors, tolerance: number): void {
  for (const [name, wanted] of Object.entries(want)) {
    const given = got[name]
    if (given === undefined || !sameShape(given.shape, wanted.shape)) {
      const found = given === undefined ? 'is missing' : `has shape ${formatShape(given.shape)}`
      throw new Error(`${what}: ${name} ${found} but must have shape ${formatShape(wanted.shape)}`)
    }
    const allowed = tolerance * wanted.values.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
    const worst = worstElement(given.values, wanted.values)
    if (worst === undefined || worst.distance <= allowed) continue
    const { index, distance } = worst
    throw new Error(
      `${what}: ${name} ${formatShape(wanted.shape)} at [${indexIn(wanted.shape, index).join(', ')}] is ${given.values[index]} ` +
        `but must be ${wanted.values[index]}, off by ${distance.toExponential(1)} where ${allowed.toExponential(1)} is allowed`,
    )
  }
}

/** @throws Error naming the first element that is no finite number. */
export function expectFinite(what: string, hosts: HostTensors): void {
  for (const [name, { values, shape }] of Object.entries(hosts)) {
    const index = values.findIndex((value) => !Number.isFinite(value))
    if (index >= 0) {
      const place = `[${indexIn(shape, index).join(', ')}]`
      throw new Error(`${what}: ${name} ${formatShape(shape)} at ${place} is ${values[index]} but must be finite`)
    }
  }
}

/** The element furthest off, NaN counting as infinitely far; none when all have the same bits. */
function worstElement(got: Float64Array, want: Float64Array): { index: number; distance: number } | undefined {
  let worst: { index: number; distance: number } | undefined
  for (let index = 0; index < want.length; index++) {
    if (got[index] === want[index] || Object.is(got[index], want[index])) continue
    const apart = Math.abs(got[index] - want[index])
    const distance = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart
    if (worst === undefined || distance > worst.distance) worst = { index, distance }
  }
  return worst
}

function indexIn(shape: Shape, index: number): readonly number[] {
  return stridesOf(shape).map((stride, axis) => Math.floor(index / stride) % shape[axis])
}
