/** The cost of starting Node and listening, without anything else. */
import { createServer } from "node:http"
import { argv } from "node:process"

createServer((_request, response) => response.end("ok")).listen(Number(argv[2]), "127.0.0.1")
