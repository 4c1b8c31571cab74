import sirv from 'sirv'
import { listen, root } from './listen.ts'

listen(sirv(root))
