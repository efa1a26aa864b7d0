import { HttpApp } from "../../src/http/HttpApp.ts"
import * as HttpAppTest from "../../src/testing/HttpAppTest.ts"

HttpAppTest.suite("the gateway", HttpApp.layer)
