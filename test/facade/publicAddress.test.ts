import { assert, describe, it } from "@effect/vitest"
import { isPublicAddress } from "../../src/facade/publicAddress.ts"

const special: Readonly<Record<string, ReadonlyArray<string>>> = {
  "this network and this machine": ["0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "::", "::1"],
  "private networks": ["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255"],
  "networks of providers (CGNAT)": ["100.64.0.1", "100.127.255.254"],
  "link-local addresses": ["169.254.0.1", "169.254.255.255", "fe80::1", "febf::1", "fe80::1%eth0"],
  "metadata services of clouds": [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fd00:42::42"
  ],
  "unique local and site-local addresses": ["fc00::1", "fd12:3456:789a::1", "fdff::1", "fec0::1"],
  "documentation and benchmarks": [
    "192.0.2.1",
    "198.51.100.7",
    "203.0.113.9",
    "198.18.0.1",
    "198.19.255.255",
    "2001:db8::1",
    "3fff::1",
    "2001:2::1"
  ],
  "assignments of protocols": [
    "192.0.0.1",
    "192.88.99.1",
    "192.31.196.1",
    "192.175.48.1",
    "2001::1",
    "2001:20::1",
    "2001:1ff::1"
  ],
  "multicast, broadcast, reserved": [
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "ff02::1",
    "ff0e::1"
  ],
  "IPv4 mapped into IPv6": [
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:0"
  ],
  "IPv4-compatible and translated addresses": ["::127.0.0.1", "::10.0.0.1", "::ffff:0:10.0.0.1"],
  "NAT64 of what is not public": ["64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::1"],
  "6to4 and Teredo": ["2002:7f00:1::1", "2002:a00:1::1", "2002:808:808::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
  "addresses that are not assigned": ["4000::1", "5f00::1", "100::1", "1::1", "e000::1"],
  "text that is not an address": [
    "",
    "localhost",
    "example.com",
    "127.1",
    "0x7f.0.0.1",
    "2130706433",
    "017700000001",
    "1.2.3",
    "1.2.3.4.5",
    "::g",
    "[::1]"
  ]
}

describe("an address is not public", () => {
  for (const [what, addresses] of Object.entries(special)) {
    for (const address of addresses) {
      it(`${what}: ${address}`, () => {
        assert.isFalse(isPublicAddress(address))
      })
    }
  }
})

describe("an address is public", () => {
  for (
    const address of [
      "1.1.1.1",
      "8.8.8.8",
      "9.255.255.255",
      "11.0.0.0",
      "100.63.255.255",
      "100.128.0.0",
      "126.255.255.255",
      "128.0.0.1",
      "168.63.129.17",
      "169.253.255.255",
      "169.255.0.0",
      "172.15.255.255",
      "172.32.0.0",
      "192.0.1.1",
      "192.167.255.255",
      "192.169.0.0",
      "198.17.255.255",
      "198.20.0.0",
      "223.255.255.255",
      "2001:200::1",
      "2001:4860:4860::8888",
      "2606:4700:4700::1111",
      "2a00:1450:4001::1",
      "::ffff:8.8.8.8",
      "64:ff9b::808:808"
    ]
  ) {
    it(`${address}`, () => {
      assert.isTrue(isPublicAddress(address))
    })
  }
})
