SHOW TRANSACTIONS YIELD transactionId AS given_up, clientAddress, currentQuery
WHERE clientAddress = $address AND currentQuery STARTS WITH $beginning
TERMINATE TRANSACTION given_up YIELD message
RETURN message
