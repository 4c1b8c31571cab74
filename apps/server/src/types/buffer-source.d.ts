// structured-headers' types name it as the DOM does; where there is no DOM, nothing declares it.
type BufferSource = ArrayBufferView | ArrayBuffer
