import { listen } from './listen.ts'

listen((_request, response) => response.end('.'))
