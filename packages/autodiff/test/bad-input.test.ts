import * as ops from '@mixtape/autodiff'
import { memory, reference, scope, type Tensor, tensor, useExecutor, zeros } from '@mixtape/autodiff'
import { beforeAll, expect, it } from 'vitest'

beforeAll(async () => {
  await useExecutor(reference())
})

const float = (...shape: number[]) => zeros(shape)
const integers = (...values: number[]) => tensor(values, { dtype: 'int32' })

/** A call that must be refused, and what the message must say. */
const refused: Readonly<Record<string, readonly [call: () => unknown, message: RegExp]>> = {
  'add of shapes that do not broadcast': [
    () => ops.add(float(2, 3), float(2, 4)),
    /^add: .*\[2, 3\].*\[2, 4\].*axis 1/,
  ],
  'add of an index tensor': [() => ops.add(integers(1), float(1)), /^add: .*int32/],
  'add of two dtypes': [() => ops.add(float(1), zeros([1], { dtype: 'float64' })), /^add: .*float32 and float64/],
  'clamp with crossed limits': [() => ops.clamp(float(1), { min: 2, max: 1 }), /^clamp: min is 2/],
  'matmul of a vector': [() => ops.matmul(float(2), float(2, 2)), /^matmul: .*two axes/],
  'matmul of unequal inner extents': [() => ops.matmul(float(2, 3), float(4, 5)), /^matmul: .*3 and 4/],
  'matmul of unequal batches': [() => ops.matmul(float(2, 3, 3), float(4, 3, 3)), /^matmul: .*axis 0 is 2 and 4/],
  'sum over an axis that is not there': [() => ops.sum(float(2), { axes: 1 }), /^sum: axis is 1/],
  'sum over an axis twice': [() => ops.sum(float(2, 2), { axes: [0, -2] }), /^sum: axes are \[0, 0\] but must differ/],
  'argMax over an axis that is not there': [() => ops.argMax(float(2), { axis: 3 }), /^argMax: axis is 3/],
  'softmax of a scalar': [() => ops.softmax(float()), /^softmax: axis is -1/],
  'cumSum over a fractional axis': [() => ops.cumSum(float(2), { axis: 0.5 }), /^cumSum: axis is 0.5/],
  'reshape to another size': [() => ops.reshape(float(2, 3), [4]), /^reshape: .*\[2, 3\].*\[4\]/],
  'transpose that names an axis twice': [
    () => ops.transpose(float(2, 3), [0, 0]),
    /^transpose: permutation is \[0, 0\]/,
  ],
  'broadcastTo of a larger extent': [() => ops.broadcastTo(float(3), [2]), /^broadcastTo: .*\[3\].*\[2\]/],
  'squeeze of a wide axis': [() => ops.squeeze(float(2), 0), /^squeeze: axis 0/],
  'slice past the end': [() => ops.slice(float(3), { axis: 0, end: 4 }), /^slice: \[0, 4\).*\[0, 3\)/],
  'slice with step 0': [() => ops.slice(float(3), { axis: 0, end: 2, step: 0 }), /^slice: step is 0/],
  'split into sizes that do not add up': [() => ops.split(float(5), { axis: 0, sizes: 2 }), /^split: sizes are 2.*5/],
  'split into a negative size': [() => ops.split(float(5), { axis: 0, sizes: [6, -1] }), /^split: /],
  'split into pieces of 0': [() => ops.split(float(5), { axis: 0, sizes: 0 }), /^split: /],
  'concat of nothing': [() => ops.concat([], { axis: 0 }), /^concat: tensors is empty/],
  'concat of unequal rows': [
    () => ops.concat([float(1, 2), float(1, 3)], { axis: 0 }),
    /^concat: .*\[1, 2\].*\[1, 3\]/,
  ],
  'pad by a negative count': [() => ops.pad(float(1), { axis: 0, before: -1 }), /^pad: before is -1/],
  'repeat a fractional number of times': [() => ops.repeat(float(1), { axis: 0, count: 1.5 }), /^repeat: count is 1.5/],
  'gather with an index out of range': [
    () => ops.gather(float(3), integers(0, 3), { axis: 0 }),
    /^gather: index \[2\] has values from 0 to 3 .*\[0, 3\)/,
  ],
  'gather by a floating index': [() => ops.gather(float(3), float(3), { axis: 0 }), /^gather: index is float32/],
  'embedding of an id that is not there': [() => ops.embedding(float(4, 2), integers(4)), /^embedding: ids/],
  'embedding in a vector': [() => ops.embedding(float(4), integers(0)), /^embedding: table has shape \[4\]/],
  'oneHot of too large an id': [() => ops.oneHot(integers(2), 2), /^oneHot: ids/],
  'crossEntropy of targets of another shape': [
    () => ops.crossEntropy(float(2, 3), integers(1)),
    /^crossEntropy: logits have shape \[2, 3\]/,
  ],
  'crossEntropy of a class that is not there': [
    () => ops.crossEntropy(float(1, 3), integers(3)),
    /^crossEntropy: targets have values from 3 to 3/,
  ],
  'causalConv1d of other channels': [() => ops.causalConv1d(float(1, 2, 3), float(4, 2)), /^causalConv1d: x has/],
  'causalConv1d with a history of another width': [
    () => ops.causalConv1d(float(1, 2, 3), float(3, 4), { history: float(1, 4, 3) }),
    /^causalConv1d: history has shape \[1, 4, 3\] but must be \[1, 3, 3\]/,
  ],
  'depthwiseConv2d with an even kernel': [
    () => ops.depthwiseConv2d(float(1, 2, 2, 1), float(1, 2, 3)),
    /^depthwiseConv2d: .*odd/,
  ],
  'solveUnitLower of an oblong matrix': [() => ops.solveUnitLower(float(2, 3), float(2, 1)), /^solveUnitLower: lower/],
  'tril of a vector': [() => ops.tril(float(3)), /^tril: x has shape \[3\]/],
  'rmsNorm with a weight of another width': [
    () => ops.rmsNorm(float(2, 3), { weight: float(2) }),
    /^rmsNorm: weight has shape \[2\] but must be \[3\]/,
  ],
  'layerNorm with a bias of another width': [
    () => ops.layerNorm(float(2, 3), { bias: float(2) }),
    /^layerNorm: bias has shape \[2\]/,
  ],
  'dropout of everything': [() => ops.dropout(float(1), 1, ops.randomGenerator(1)), /^dropout: rate is 1/],
  'a ragged tensor': [() => tensor([[1, 2], [3]]), /^tensor: nested arrays are ragged/],
  'a tensor of the wrong shape': [() => tensor([1, 2, 3], { shape: [2] }), /^tensor: shape \[2\] has 2 elements/],
  'a fractional index': [() => integers(0.5), /^tensor: element 0 is 0.5/],
  'a negative extent': [() => zeros([-1]), /^full: shape is \[-1\]/],
}

for (const [name, [call, message]] of Object.entries(refused)) {
  it(`refuses ${name}, and leaves nothing behind`, () => {
    const before = memory()
    expect(() => scope(() => void call())).toThrow(message)
    expect(memory()).toMatchObject({ liveBuffers: before.liveBuffers, liveBytes: before.liveBytes })
  })
}

it('refuses a tensor whose scope has ended, and names its shape', () => {
  const held: Tensor[] = []
  scope(() => void held.push(float(2, 3)))
  expect(() => ops.add(held[0], 1)).toThrow(/\[2, 3\] was freed when its scope ended/)
  expect(() => held[0].data()).toThrow(/\[2, 3\] was freed/)
})

it('refuses operands of two executors', async () => {
  const here = float(1)
  await useExecutor(reference())
  expect(() => ops.add(here, float(1))).toThrow(/^add: operands are on executors/)
})
