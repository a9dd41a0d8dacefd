// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Signatures
/// @notice The one place where signatures are judged: 65-byte secp256k1 for plain accounts, ERC-1271 for contract wallets.
/// @dev OpenZeppelin's ECDSA refuses high `s`, a `v` other than 27 or 28, the zero signer and 64-byte forms.
library Signatures {
    /// @notice Says whether an account signed a digest, judged by the keys valid now.
    function isSigned(address account, bytes32 digest, bytes memory signature) internal view returns (bool) {
        if (account.code.length == 0) {
            (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, signature);
            return failure == ECDSA.RecoverError.NoError && recovered == account && account != address(0);
        }
        return SignatureChecker.isValidERC1271SignatureNow(account, digest, signature);
    }
}
