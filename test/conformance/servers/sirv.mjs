import sirv from 'sirv'
import { listen, outliveErrors, root } from './listen.mjs'

outliveErrors()
const serve = sirv(root, { etag: true })
listen((request, response) =>
  serve(request, response, () => {
    response.statusCode = 404
    response.end('Not Found')
  }),
)
