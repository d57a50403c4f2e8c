// SPDX-License-Identifier: Apache-2.0
// Carries precompiled headers: see Precompile.cmake.
