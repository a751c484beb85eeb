/** Element types of tensors. Floating tensors carry values and gradients; `int32` tensors carry indices. */
export type DType = FloatDType | 'int32'

/** Element types that can carry gradients. */
export type FloatDType = 'float32' | 'float64'

/** Host-side storage of a tensor's elements, row-major. */
export type TypedArray = Float32Array | Float64Array | Int32Array

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return dtype === 'float64' ? 8 : 4
}

/** A zero-filled host array of `length` elements. */
export function allocateArray(dtype: DType, length: number): TypedArray {
  switch (dtype) {
    case 'float32':
      return new Float32Array(length)
    case 'float64':
      return new Float64Array(length)
    case 'int32':
      return new Int32Array(length)
  }
}
