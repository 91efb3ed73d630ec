"""Restate: durable handlers in Node, one at a time for a key.

server   the server and a service with accounts, installed by npm
load     deposits over its HTTP ingress

service.mjs is the service, package.json what npm installs.
"""
