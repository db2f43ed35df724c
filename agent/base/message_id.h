/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What operators look for in the journal, by MESSAGE_ID=. Once given, an id stays:
 * packaging/catalog says what each means and what to do (`journalctl -x`).
 */
#define MESSAGE_STARTED "78ba7438b2824e77b379d80a13aadee6"
#define MESSAGE_NOT_CONFIGURED "a225ca8db27b452a81e8be9ab1cd977e"
/* A line for each error of the files. */
#define MESSAGE_CONFIGURATION_WRONG "d2c2a75f8b484972b32d74dd180efa79"
#define MESSAGE_LAST_GOOD "5c041438dbe6407e8ed2c33fb93feb2d"
#define MESSAGE_NO_CONFIGURATION "54e912813e7b4e63b9a6b72f855ca842"
#define MESSAGE_RELOADED "f2f57ad69519492eabf960d7847661c1"
#define MESSAGE_RELOAD_REFUSED "69193c730bc149b88d8b7d96c4570502"
#define MESSAGE_CONFIRMED "ebd06514cffa4644830950aee2791060"
#define MESSAGE_TAKEN_BACK "e614c0c356c84d6bab1baad81eaba88a"
/* Who wrote or executed what (design: State). */
#define MESSAGE_WRITE "6a1f6a1b0c9c4f0e8a7e5a3d4c1b9f27"
/* What else somebody had done over D-Bus. */
#define MESSAGE_ORDER "b7afe3ae6ae7422390998ca231b7a277"
#define MESSAGE_NOT_REGISTERED "0ea8f472d1a44e9c887d7290c3c502e2"
#define MESSAGE_REGISTERED_AGAIN "504e2a83cff340af9563f3578b7f0ce7"
#define MESSAGE_NO_KEY "8b54ffeee8934e5791be19edf9d816c4"
#define MESSAGE_DEVICE_STATE "10c37fa1f69f42ce829e47e733666b14"
#define MESSAGE_HOST_ENDED "5d722424af6040c68a83acaea71ce21b"
#define MESSAGE_STATE_NOT_WRITTEN "f3cee73469364f1f8776b239f7750d6d"
#define MESSAGE_HISTORY_NOT_WRITTEN "a309ce7bd0ab43a79ae4826abc758cdc"
#define MESSAGE_HISTORY_FULL "f460d4ff642f4d49b6a9340efc954e71"
