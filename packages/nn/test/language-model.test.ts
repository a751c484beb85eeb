import {
  concat,
  randomGenerator,
  reference,
  scope,
  slice,
  type Tensor,
  tensor,
  useExecutor,
  valueAndGrad,
} from '@mixtape/autodiff'
import {
  attention,
  countParameters,
  GeluMLP,
  type LanguageModel,
  type LanguageModelOptions,
  type LayerState,
  languageModel,
  Parameter,
  valuesOf,
} from '@mixtape/nn'
import { beforeAll, describe, expect, it } from 'vitest'
import { convolution, expectClose, random, randomize, read, readAll } from './support.ts'

beforeAll(async () => {
  await useExecutor(reference(), { dtype: 'float64' })
})

const layers = [attention({ heads: 2 }), convolution(), attention({ heads: 1, window: 3 })]
const small: LanguageModelOptions = { vocabulary: 7, width: 4, layers, innerWidth: 6 }

const ids = (batch: number, time: number) => {
  const generator = randomGenerator('ids')
  const values = Int32Array.from({ length: batch * time }, () => generator.integer(small.vocabulary))
  return tensor(values, { shape: [batch, time] })
}

function made(options: Partial<LanguageModelOptions> = {}): LanguageModel {
  const model = languageModel({ ...small, ...options })
  randomize(model, 1)
  return model
}

describe('a language model', () => {
  it('names its parameters as flash-linear-attention does', () => {
    const model = languageModel({ vocabulary: 7, width: 4, layers: [attention({ heads: 2 })] })
    const block = 'model.layers.0'
    expect(Object.entries(model.parameters()).map(([name, { value }]) => [name, value.shape])).toEqual([
      ['model.embeddings.weight', [7, 4]],
      [`${block}.attn_norm.weight`, [4]],
      [`${block}.attn.q_proj.weight`, [4, 4]],
      [`${block}.attn.k_proj.weight`, [4, 4]],
      [`${block}.attn.v_proj.weight`, [4, 4]],
      [`${block}.attn.o_proj.weight`, [4, 4]],
      [`${block}.mlp_norm.weight`, [4]],
      [`${block}.mlp.gate_proj.weight`, [32, 4]],
      [`${block}.mlp.up_proj.weight`, [32, 4]],
      [`${block}.mlp.down_proj.weight`, [4, 32]],
      ['model.norm.weight', [4]],
      ['lm_head.weight', [7, 4]],
    ])
    expect(countParameters(model)).toBe(2 * 7 * 4 + 4 * 16 + 3 * 128 + 3 * 4)
  })

  it('gives token by token what it gives at once, and the same state', async () => {
    const model = made()
    const tokens = ids(2, 6)
    const whole = model.forward(tokens)
    expect(whole.logits.shape).toEqual([2, 6, 7])
    let state: readonly LayerState[] = model.initialState(2)
    for (let t = 0; t < 6; t++) {
      const column = await read(slice(tokens, { axis: 1, start: t, end: t + 1 }))
      const result = model.step(tensor(Int32Array.from(column)), state)
      expect(result.logits.shape).toEqual([2, 7])
      expectClose(await read(result.logits), await read(slice(whole.logits, { axis: 1, start: t, end: t + 1 })))
      state = result.state
    }
  })

  it('gives the same cut anywhere, with the state carried', async () => {
    const model = made()
    const tokens = ids(2, 6)
    const whole = model.forward(tokens).logits
    for (let cut = 0; cut <= 6; cut++) {
      const head = model.forward(slice(tokens, { axis: 1, end: cut }))
      const tail = model.forward(slice(tokens, { axis: 1, start: cut }), { state: head.state })
      expectClose(await read(concat([head.logits, tail.logits], { axis: 1 })), await read(whole))
    }
  })

  it('has for every parameter the gradient of central differences', async () => {
    const model = made()
    const targets = tensor([[1, 2, -100, 3, 0]], { dtype: 'int32' })
    const tokens = ids(1, 5)
    const parameters = model.parameters()
    const lossOf = () => model.loss(tokens, targets)
    const { gradient } = valueAndGrad<Record<string, Tensor>>(lossOf)(valuesOf(parameters))
    for (const [name, parameter] of Object.entries(parameters)) {
      const values = await read(parameter.value)
      const { shape } = parameter.value
      const analytic = await read(gradient[name])
      for (const element of [0, Math.floor(values.length / 2), values.length - 1]) {
        const lossAt = async (change: number) => {
          parameter.value = tensor(values.with(element, values[element] + change), { shape })
          return scope(lossOf).item()
        }
        const numeric = ((await lossAt(1e-5)) - (await lossAt(-1e-5))) / 2e-5
        expectClose([analytic[element]], [numeric], 1e-8)
      }
      parameter.value = tensor(values, { shape })
    }
  })

  it('has as loss the mean of −log softmax at the targets that count', async () => {
    const model = made()
    const logits = await read(model.forward(ids(1, 3)).logits)
    const surprise = (t: number, target: number) => {
      const row = logits.slice(t * 7, (t + 1) * 7)
      return Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - row[target]
    }
    const loss = model.loss(ids(1, 3), tensor([[6, -100, 2]], { dtype: 'int32' }))
    expectClose(await read(loss), [(surprise(0, 6) + surprise(2, 2)) / 2])
  })

  it('starts from its seed alone', async () => {
    const one = await readAll(languageModel({ ...small, seed: 5 }))
    randomGenerator(5).normal()
    expect(await readAll(languageModel({ ...small, seed: 5 }))).toEqual(one)
    expect(await readAll(languageModel({ ...small, seed: randomGenerator(5) }))).toEqual(one)
    expect(await readAll(languageModel({ ...small, seed: 6 }))).not.toEqual(one)
    expect(Object.values(one).flat()).not.toContain(Number.NaN)
  })

  it('starts a layer independently of the layers beside it', async () => {
    const all = await readAll(languageModel(small))
    const changed = await readAll(languageModel({ ...small, layers: [convolution(), ...layers.slice(1)] }))
    for (const [name, values] of Object.entries(changed)) {
      if (!name.startsWith('model.layers.0.attn.')) expect(values).toEqual(all[name])
    }
    expect(all['model.layers.0.attn.q_proj.weight']).not.toEqual(all['model.layers.0.attn.k_proj.weight'])
    expect(all['model.layers.0.mlp.up_proj.weight']).not.toEqual(all['model.layers.1.mlp.up_proj.weight'])
  })

  it('takes another feed-forward network', () => {
    const feedForward = (...sizes: ConstructorParameters<typeof GeluMLP>) => new GeluMLP(...sizes)
    const model = languageModel({ ...small, feedForward })
    expect(model.parameters()['model.layers.1.mlp.up_proj.bias'].value.shape).toEqual([6])
  })

  it('does not die with the scope it was made in', async () => {
    const model = scope(() => languageModel(small))
    expect(Object.values(await readAll(model)).flat()).not.toContain(Number.NaN)
    expect(model.loss(ids(1, 3), ids(1, 3)).shape).toEqual([])
  })

  it('refuses options, ids and states that do not fit', () => {
    expect(() => languageModel({ ...small, vocabulary: 0 })).toThrow('languageModel: vocabulary is 0')
    expect(() => languageModel({ ...small, width: 1.5 })).toThrow('languageModel: width is 1.5')
    expect(() => languageModel({ ...small, innerWidth: -1 })).toThrow('languageModel: innerWidth is -1')
    expect(() => languageModel({ ...small, layers: [] })).toThrow('layers is empty')
    const model = made()
    expect(() => model.forward(ids(1, 3), { state: model.initialState(1).slice(1) })).toThrow(
      'languageModel: state has 2 entries but must be an array of 3, one a layer',
    )
    const tokens = tensor([1], { dtype: 'int32' })
    expect(() => model.step(tokens, [])).toThrow('state has 0 entries')
    expect(() => model.step(tokens, model.initialState(2))).toThrow('attention: state has keys')
    expect(() => model.step(ids(1, 3), model.initialState(1))).toThrow('ids has shape [1, 3] but must be [B]')
    expect(() => model.forward(tokens)).toThrow('ids has shape [1] but must be [B, T]')
    expect(() => model.forward(tensor([[7]], { dtype: 'int32' }))).toThrow('must be in [0, 7)')
  })
})

describe('a parameter', () => {
  it('outlives the scope its value was made in', async () => {
    const parameter = scope(() => new Parameter(random([2], 1)))
    const first = await read(parameter.value)
    expect(first).toHaveLength(2)
    scope(() => {
      parameter.value = random([2], 2)
    })
    expect(await read(parameter.value)).toEqual(await read(random([2], 2)))
  })

  it('frees the value it replaces, but not under another parameter that has it too', async () => {
    const value = random([2], 1)
    const [one, other] = [new Parameter(value), new Parameter(value)]
    one.value = random([2], 2)
    expect(await read(other.value)).toEqual(await read(random([2], 1)))
    other.value = random([2], 3)
    expect(value.freed).toBe(true)
  })

  it('keeps a value that is assigned to it again', async () => {
    const parameter = new Parameter(random([2], 1))
    const { value } = parameter
    parameter.value = value
    expect(parameter.value.freed).toBe(false)
  })

  it('refuses values that do not fit, and keeps its own', async () => {
    const parameter = new Parameter(random([2], 1))
    const { value } = parameter
    expect(() => {
      parameter.value = random([3], 1)
    }).toThrow('parameter has shape [2] but its new value has [3]')
    expect(() => {
      parameter.value = tensor([1, 2], { dtype: 'float32' })
    }).toThrow('parameter is float64 on reference but its new value is float32 on reference')
    const freed: Tensor[] = []
    scope(() => freed.push(random([2], 1)))
    expect(() => {
      parameter.value = freed[0]
    }).toThrow('parameter: the new value [2] was freed when its scope ended')
    expect(parameter.value).toBe(value)
    expect(value.freed).toBe(false)
  })
})
